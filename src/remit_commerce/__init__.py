"""The commerce pack: payments, fulfilment and mail on public names of `remit`."""

from remit_commerce.pack import pack

__all__ = ["pack"]

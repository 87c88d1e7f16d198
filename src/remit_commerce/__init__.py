"""The commerce pack: payments, fulfilment and mail on public names of `remit`."""

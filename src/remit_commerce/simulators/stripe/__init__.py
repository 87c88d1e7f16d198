"""A simulated Stripe behind its own idempotency layer."""

from remit_commerce.simulators.stripe.simulator import StripeSimulator

__all__ = ["StripeSimulator"]

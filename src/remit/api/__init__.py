"""The HTTP edge: webhooks in, health and metrics, and the first REST resources."""

from remit.api.app import create_app

__all__ = ["create_app"]

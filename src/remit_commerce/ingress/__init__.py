"""Webhooks of the providers: signatures over raw bytes, and what identifies a delivery as a duplicate."""

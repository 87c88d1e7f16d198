"""Remit: a governed orchestration kernel on PostgreSQL."""

"""Contracts between the kernel and what it is connected to, with their records."""

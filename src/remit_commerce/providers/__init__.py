"""Clients of the four providers: one module each, over one guarded exchange."""

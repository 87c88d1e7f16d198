"""Stand-ins for the four providers: one process of their own, with books that survive it."""

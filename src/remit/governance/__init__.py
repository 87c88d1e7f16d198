"""Governance: the pure checks of the action pipeline and of compilation."""

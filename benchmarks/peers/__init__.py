"""Remit beside its peers: the same four workloads, each engine through its own fast API, on one machine."""

"""What Remit costs, measured: `make bench`."""

"""The commerce tools, one file per provider."""

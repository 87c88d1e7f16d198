"""The pure core: states, facts, events, commands and the three functions that connect them."""

"""The user's code: found, read, compiled, and what of it a run is a function of."""

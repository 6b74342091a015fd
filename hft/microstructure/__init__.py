"""Microstructure analytics: what trades and quotes say together, as of the time it could be known.

Floats, read-only; nothing flows back into prices or money. `columns` makes frames of tapes.
"""

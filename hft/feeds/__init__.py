"""Decoders: vendor files and the user's own frames to rows of a tape."""

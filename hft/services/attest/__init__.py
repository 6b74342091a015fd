"""The evidence of the controls: each is driven on both sides of its limit."""

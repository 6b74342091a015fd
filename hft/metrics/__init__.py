"""What an operator measures: one catalogue, and where each figure of it is read."""

"""The gates A to E: pure functions from evidence and thresholds to a typed verdict."""

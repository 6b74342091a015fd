"""The gates A to F and RL: pure functions from evidence and thresholds to a typed verdict."""

"""Paper trading: a recorded tape goes by at a speed, and we trade on it as it does."""

"""The deterministic loop that joins tape, gateway, venue and strategy."""

"""Our half of an order's way, whatever the venue is; see docs/architecture.md."""

"""An alpha's signal on tapes: the strategy that follows it, the replay that shows what it earns."""

"""An alpha's signal on tapes: the strategy that follows it and the replay that shows what it earns."""

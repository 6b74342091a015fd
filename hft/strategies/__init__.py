"""From a view of the market to intents: the strategy seam and the shipped strategies."""

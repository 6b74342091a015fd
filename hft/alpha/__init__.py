"""Alpha governance: from an idea to a canary, every decision evidenced.

Offline: nothing here sends an order. Functions take plain values, a workspace and the time of the
decision; `hft.api.alpha` reads settings and clock and calls them, the command line renders.
"""

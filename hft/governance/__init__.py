"""From figures to decisions on record: ledger, gates, validation, promotion, canary, vault.

Offline: nothing here sends an order. Functions take plain values, a workspace and the time of the
decision; `hft.api.alpha` reads settings and clock and calls them, the command line renders.
"""

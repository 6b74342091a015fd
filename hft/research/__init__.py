"""From an idea to figures: alphas, their data, expressions, search, pool, leakage and measures.

Nothing here decides, signs or keeps a ledger; that is `hft.governance`, which stands above.
"""

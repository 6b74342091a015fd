"""The figures of a validation that follow from data, signal and rules alone.

Nothing here knows the ledger, the pool, a file or the time: equal inputs give equal figures in any
process, which Gate B checks.
"""

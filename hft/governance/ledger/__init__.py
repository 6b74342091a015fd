"""The trial ledger: what was tried on data that counts, and the hurdle that makes of it."""

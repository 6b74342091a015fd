"""Decisions as evidence: a chained local journal, its delivery to a database, signatures, anchors.

A row is durable in the journal before anybody hears of the decision; the database is a copy that
may be late. Nothing here decides anything about an alpha.
"""

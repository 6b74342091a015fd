"""A promotion on probation: hold, escalate, roll back or graduate, from evidence of sessions.

`decide` is pure; `apply` writes the signed file and the audit row. A decision is never stored
without the evidence digest it was made from.
"""

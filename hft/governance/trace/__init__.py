"""Questions about the past: what was live at a time, why an alpha is where it is, what exists.

Reads the audit journal, promotion files and reports; writes nothing.
"""

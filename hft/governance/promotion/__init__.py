"""From a validated alpha to a signed, dated promotion file: proposal, approval, renewal.

The owner's `promote` evaluates Gates D and E and freezes a bundle; the validator's `approve` checks
it all again and writes the file. Only `approve` and `canary` ever write promotion files.
"""

"""The quoting policy as an alpha."""

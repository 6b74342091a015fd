"""Code of an alpha in a process of its own, behind walls: it gets rows and gives back numbers."""

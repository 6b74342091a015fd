"""The public Python names, a module a subject; the command line calls these and renders.

Nothing is imported here: looking at a promotion need not load the compiled replay.
"""

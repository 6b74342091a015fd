"""Searching the expression language, with every candidate counted as a trial.

It decides which expressions are tried, what each is worth out of sample and in which order they
rank; the result is the same for any number of workers and any executor. It owns its run folder and
hands every trial to the ledger through a callback.
"""

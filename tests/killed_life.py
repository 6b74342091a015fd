"""The end of a life that a test killed: nobody closes its files, as nobody does in a process."""

import gc
import threading

WRITER = "run-folder"  # the thread that writes a run's records beside the engine


def bury() -> None:
    """Its writer ends and its files are collected now, and not in the middle of another test."""
    for thread in threading.enumerate():
        if thread.name == WRITER:
            thread.join(60)
            assert not thread.is_alive(), "the writer of a killed life does not end"
    gc.collect()

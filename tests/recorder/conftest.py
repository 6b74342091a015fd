"""Both engines of the audit's tests, and a folder with segments to load."""

from tests.audit.conftest import embedded, running_server, server, source

__all__ = ["embedded", "running_server", "server", "source"]

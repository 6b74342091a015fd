"""The figures on a port for Prometheus: read anew for each scrape, by a process of its own.

prometheus-client answers: it speaks every format that a scraper may ask for, from what its own
strict reader takes of our text.
"""

import errno
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from hft.core.errors import Busy, ConfigError


class Collected(Collector):
    """`text` is asked by one scrape at a time."""

    def __init__(self, text: Callable[[], str]) -> None:
        self._text, self._guard = text, threading.Lock()

    def collect(self) -> Iterable[Metric]:
        with self._guard:
            text = self._text()
        return text_string_to_metric_families(text)

    def describe(self) -> Iterable[Metric]:
        """Nothing is read before somebody asks."""
        return ()


def samples(text: str) -> list[dict[str, Any]]:
    """JSON-ready: each figure of a text with its name and labels."""
    return [
        {"name": one.name, "labels": dict(one.labels), "value": one.value}
        for family in text_string_to_metric_families(text)
        for one in family.samples
    ]


@contextmanager
def serving(text: Callable[[], str], port: int, host: str) -> Iterator[int]:
    """Answer on the port, any free one for 0, while the block runs; yields the port.

    Raises: Busy where another process has it; ConfigError for one that cannot be had.
    """
    registry = CollectorRegistry()
    registry.register(Collected(text))
    try:
        server, thread = start_http_server(port, host, registry)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise Busy(
                f"{host}:{port}: another process listens there; end it, or name another --port"
            ) from None
        raise ConfigError(
            f"{host}:{port}: cannot be listened on: {error.strerror or error}; name another "
            "--host or --port"
        ) from None
    try:
        yield int(server.server_port)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

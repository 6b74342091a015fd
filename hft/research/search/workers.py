"""Where chunks of a search are computed: here, in processes of this machine, or on a cluster.

joblib is the only door: its loky processes by default, Dask or Ray by its backends. Workers map the
market from the run folder, which on a cluster must be on a shared disk. Results come back in the
order of the chunks, so no number of workers and no executor can change them.
"""

import os
import platform
import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any

from hft.core.errors import ConfigError, HftError, Unavailable
from hft.research.expressions.expression import parse
from hft.research.search.market import Market
from hft.research.search.measure import Measured, measure

EXECUTORS = ("processes", "dask", "ray")
COLUMNS = "columns"
DASK, RAY = "dask.distributed", "ray.util.joblib"


@lru_cache(maxsize=2)
def _market(folder: str, stamp: str) -> Market:
    return Market.load(Path(folder))


def _chunk(
    folder: str, stamp: str, texts: Sequence[str], threshold: float, cache_mb: float
) -> list[Measured]:
    """One chunk in a worker process. Raises: the same kind of error, naming the worker."""
    try:
        market = _market(folder, stamp)
        parsed = [parse(text) for text in texts]
        return measure(parsed, market, threshold=threshold, cache_mb=cache_mb)
    except HftError as error:
        raise type(error)(f"worker {whereabouts()}: {error}") from None
    except Exception as error:
        told = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        raise Unavailable(f"worker {whereabouts()}: {told}") from None


def whereabouts() -> str:
    """This process as a person finds it: its address in a cluster, else machine and number."""
    place = f"{platform.node()}, process {os.getpid()}"
    distributed = sys.modules.get("distributed")  # dask.distributed is another name of it
    try:
        return f"{distributed.get_worker().address} ({place})" if distributed else place
    except ValueError:  # no worker of Dask
        return place


def check_place(executor: str, workers: int) -> None:
    """Can a search run there? Raises: ConfigError, Unavailable; asked before anything is spent."""
    if executor not in EXECUTORS:
        raise ConfigError(f"executor: {executor!r} is none of {', '.join(EXECUTORS)}")
    if workers < 1:
        raise ConfigError(f"workers: {workers} is not at least 1")
    if executor == "dask":
        _module(DASK, "dask", "pip install 'hft[cluster]'")
    elif executor == "ray":
        _module(RAY, "ray", "pip install ray")


class Workers:
    """Computes chunks of canonical texts; a context manager that ends what it started."""

    def __init__(
        self,
        market: Market,
        folder: Path,
        *,
        workers: int = 1,
        executor: str = "processes",
        address: str | None = None,
        threshold: float = 0.3,
        cache_mb: float = 2048,
    ) -> None:
        check_place(executor, workers)
        self.market, self.folder, self.count, self.executor = market, folder, workers, executor
        self.address, self.threshold, self.cache_mb = address, threshold, cache_mb / workers
        self._stack = ExitStack()
        self._alone = executor == "processes" and workers == 1

    def __enter__(self) -> "Workers":
        if self._alone:
            return self
        self.market.save(self.folder / COLUMNS)
        # Compiled once here: processes that compile into one cache folder at a time may collide.
        warm = [parse(name) for name in self.market.fields[:1]]
        measure(warm, _head(self.market), threshold=self.threshold)
        if self.executor == "dask":
            self._stack.enter_context(_dask(self.count, self.address))
        elif self.executor == "ray":
            self._stack.enter_context(_ray())
        return self

    def __exit__(self, *error: Any) -> None:
        self._stack.close()
        if not self._alone:
            for path in sorted((self.folder / COLUMNS).glob("*")):
                path.unlink()
            (self.folder / COLUMNS).rmdir()

    def run(self, chunks: Sequence[Sequence[str]]) -> Iterator[list[Measured]]:
        """The figures of each chunk, in order, as they are ready."""
        if self._alone:
            for chunk in chunks:
                parsed = [parse(text) for text in chunk]
                yield measure(parsed, self.market, threshold=self.threshold, cache_mb=self.cache_mb)
            return
        from joblib import Parallel, delayed

        place = (str((self.folder / COLUMNS).resolve()), self.market.hash)
        calls = [
            delayed(_chunk)(*place, list(chunk), self.threshold, self.cache_mb) for chunk in chunks
        ]
        if self.executor == "processes":
            yield from Parallel(n_jobs=self.count, backend="loky", return_as="generator")(calls)
            return
        for first in range(0, len(calls), 4 * self.count):
            yield from Parallel(n_jobs=self.count)(calls[first : first + 4 * self.count])


def _head(market: Market) -> Market:
    """The first rows of a market, to compile on."""
    from dataclasses import replace

    import numpy as np

    rows = min(64, market.rows)
    return replace(
        market,
        table=np.array(market.table[:, :rows]),
        pool=np.array(market.pool[:, :rows]),
        starts=np.array([0, rows]),
        earned=np.array(market.earned[:rows]),
        cost=np.array(market.cost[:rows]),
        session=np.array(market.session[:rows]),
    )


def _dask(workers: int, address: str | None) -> AbstractContextManager[Any]:
    """joblib on a Dask cluster: the one at `address`, or one of local processes."""
    distributed = import_module(DASK)
    import joblib

    stack = ExitStack()
    if address is None:
        cluster = stack.enter_context(
            distributed.LocalCluster(
                n_workers=workers, threads_per_worker=1, processes=True, dashboard_address=None
            )
        )
        stack.enter_context(distributed.Client(cluster))
    else:
        stack.enter_context(distributed.Client(address))
    stack.enter_context(joblib.parallel_config("dask"))
    return stack


def _ray() -> AbstractContextManager[Any]:
    ray = import_module(RAY)
    import joblib

    ray.register_ray()
    context: AbstractContextManager[Any] = joblib.parallel_config("ray")
    return context


def _module(name: str, package: str, cure: str) -> None:
    try:
        import_module(name)
    except ModuleNotFoundError:
        raise Unavailable(f"executor {package}: {package} is not installed; {cure}") from None

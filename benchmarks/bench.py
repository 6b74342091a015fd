"""The running processes of one benchmark run: ours, and each peer that could be installed."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import sources
from benchmarks.environments import PEERS, NotMeasured, interpreter
from benchmarks.measure import Reply, Row, alternate, constant
from benchmarks.worker import Failed, Worker


class Bench:
    """Workers started when first needed and ended together; `runs` alternated runs a row."""

    def __init__(self, runs: int, our_python: Path) -> None:
        self.runs = runs
        self.our_python = our_python
        self._workers: dict[str, Worker] = {}
        self._absent: dict[str, str] = {}

    def __enter__(self) -> "Bench":
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._workers.values():
            worker.close()

    def ours(self) -> Worker:
        """The worker of our side."""
        return self._worker("ours", lambda: self.new_ours())

    def new_ours(self) -> Worker:
        """A further process of our side, for the caller to close."""
        return Worker(self.our_python, "benchmarks.ours")

    def peer(self, name: str) -> Worker:
        """The worker of a peer.

        Raises: NotMeasured, with the reason, each time it is asked for in vain.
        """
        if name in self._absent:
            raise NotMeasured(self._absent[name])
        try:
            return self._worker(name, lambda: Worker(interpreter(name), f"benchmarks.peer_{name}"))
        except NotMeasured as error:
            self._absent[name] = str(error)
            raise

    def _worker(self, name: str, start: Callable[[], Worker]) -> Worker:
        known = self._workers.get(name)
        if known is None or known.process.poll() is not None:
            self._workers[name] = start()
        return self._workers[name]

    def series(self, call: str, peer_row: Row, **arguments: Any) -> tuple[list[Reply], list[Reply]]:
        """Alternated runs of ours and the row's peer, after one of each that loads and compiles.

        Ours alone where the peer cannot be had and the peer alone where ours fails; the reason is
        put on the row.
        """
        asks: list[Callable[[], Reply] | None] = []
        for get, side in ((self.ours, "hft"), (lambda: self.peer(peer_row.peer_name), "peer")):
            try:
                get().ask(call, **arguments, at_least_s=0.0)
                asks.append(lambda get=get: get().ask(call, **arguments))  # type: ignore[misc]
            except (NotMeasured, Failed) as error:
                asks.append(None)
                name = "hft" if side == "hft" else PEERS[peer_row.peer_name]
                peer_row.facts[f"{side} not measured"] = f"{name}: {error}"
        ours, peer = asks
        if ours and peer:
            return alternate(ours, peer, self.runs)
        return (
            [ours() for _ in range(self.runs)] if ours else [],
            [peer() for _ in range(self.runs)] if peer else [],
        )

    def alone(self, call: str, **arguments: Any) -> list[Reply]:
        """Runs of ours after one that warms up."""
        self.ours().ask(call, **arguments, at_least_s=0.0)
        return [self.ours().ask(call, **arguments) for _ in range(self.runs)]

    def looped(self) -> Path:
        """The looped recording, converted by hftbacktest where it is not there yet."""

        def ask(call: str, source: Path, out: Path, **more: Any) -> None:
            self.peer("hftbacktest").ask(call, source=str(source), out=str(out), **more)

        return sources.looped(
            lambda raw, out: ask("convert", raw, out, at_least_s=0.0),
            lambda once, out: ask("loop", once, out, copies=sources.LOOP_COPIES),
        )


def ended_facts(row: Row, replies: list[Reply]) -> None:
    """Put on the row what our runs ended with: figures, refusals and the digest they all share."""
    if not replies:
        return
    for key in ("orders", "fills", "position_lots", "balance", "fee", "digest"):
        if key in replies[0]:
            row.facts[key] = constant(replies, key)
    if "refused" in replies[0]:
        row.facts["refused"] = constant(replies, "refused") or 0

"""What an operator measures: of a gateway's home and its recorder now, of a run from its folder."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from hft.api.gateway import HOME
from hft.api.recorder import Place, place_of
from hft.api.recorder_sessions import Session, session_of
from hft.core.errors import DataError, HftError, Unavailable
from hft.metrics.catalogue import CATALOGUE, Metric
from hft.metrics.exporter import serving
from hft.metrics.gateway import read_gateway, read_measures, read_service
from hft.metrics.readings import Readings
from hft.metrics.recorder import RecorderWatch, read_recorder
from hft.metrics.steps import StepMeasures
from hft.runs.folder.journal import StepTail
from hft.runs.folder.layout import FIGURES, JOURNAL
from hft.runs.result import Run
from hft.services.paper.board import FILE as BOARD
from hft.services.scoreboard import Reader, Seen

GATEWAY, FULL = "gateway", "full"


class Watch:
    """Reads a home and its recorder again and again; `tell` hears what cannot be read, once."""

    def __init__(
        self,
        home: str | Path = HOME,
        *,
        wal_dir: str | Path | None = None,
        config: str | None = None,
        tell: Callable[[str], None] = lambda said: None,
        wall_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        """Raises: Unavailable where no gateway ever ran; ConfigError for settings that are none."""
        self.home, self._wall_ns, self._tell = Path(home), wall_ns, tell
        self._said: set[str] = set()
        place: Place = place_of(wal_dir, config=config)
        self._recorder = RecorderWatch(place.folders, wall_ns)
        self._steps: _Steps | None = None
        self._seen()

    def read(self) -> Readings:
        """Every figure that is there now; a part that cannot be read is left out and told."""
        into = Readings()
        into.put("gateway_component_up", 0, GATEWAY)
        self._part(lambda: self._gateway(into))
        self._part(lambda: read_recorder(self._recorder.read(), into))
        return into

    def text(self) -> str:
        """As Prometheus reads it."""
        return self.read().text()

    def _part(self, read: Callable[[], None]) -> None:
        try:
            read()
        except HftError as error:
            if str(error) not in self._said:
                self._said.add(str(error))
                self._tell(str(error))

    def _seen(self) -> Seen:
        """Raises: Unavailable where there is no board, or another thing."""
        path = self.home / BOARD
        if not path.exists():
            raise Unavailable(
                f"{self.home}: no gateway has run here; start one with `hft gateway run`"
            )
        try:
            reader = Reader(path)
            try:
                return reader.read()
            finally:
                reader.close()
        except DataError as error:
            raise Unavailable(
                f"{path}: cannot be read ({error}); start the gateway again"
            ) from None

    def _gateway(self, into: Readings) -> None:
        seen = self._seen()
        try:
            self._figures(seen, into)
        except (KeyError, IndexError, ValueError) as error:
            raise Unavailable(
                f"{self.home / BOARD}: was written by another hft ({error!r}); start the gateway "
                "again"
            ) from None

    def _figures(self, seen: Seen, into: Readings) -> None:
        tables, facts = seen.tables, seen.facts
        is_over = False
        read_gateway(tables, facts, into)
        if "service" in tables:
            read_service(tables["service"][0], into)
        elif "session" in tables:
            row = tables["session"][0]
            is_over = bool(row["ending"])
            into.put("gateway_dedup_unknown", int(row["unknown_keys"]))
            self._part(lambda: self._of_steps(facts, into))
        read_measures(tables, facts, into)
        into.put("gateway_component_up", int(tables["gateway"][0]["venue_up"]), "venue")
        alive = seen.is_alive(self._wall_ns()) and not is_over
        into.put("gateway_component_up", int(alive), GATEWAY)

    def _of_steps(self, facts: Mapping[str, Any], into: Readings) -> None:
        """What the session's journal tells, as far as it is written."""
        if self._steps is None or self._steps.session.name != facts["session"]:
            session = session_of(self.home, str(facts["session"]))
            self._steps = _Steps(session, len(facts["strategies"]))
        if self._steps.session.plan.record == FULL:  # of another nobody keeps steps
            read_measures(self._steps.read(), facts, into)


class _Steps:
    """The steps of one session, each taken once."""

    def __init__(self, session: Session, strategies: int) -> None:
        self.session, self._strategies = session, strategies
        self._begin(session.run)

    def _begin(self, run: Path) -> None:
        """A life that goes on makes its run again, and what is sealed has another name."""
        self._run, self._tail = run, StepTail(run / JOURNAL)
        self._measures = StepMeasures(self._strategies)

    def read(self) -> dict[str, np.ndarray]:
        """The measures so far, but for what the session measures itself."""
        if not self._run.is_dir():
            self._begin(self.session.run)
        for block in self._tail.read():
            self._measures.take(block)
        columns = self._measures.columns()
        return {name: one for name, one in columns.items() if name != "dispatch_latency"}


class RunFigures:
    """The figures of a run's end, from its folder."""

    def __init__(self, run: Run) -> None:
        """Raises: DataError for a run that has none."""
        self.home = run.path
        try:
            self._text = (run.path / FIGURES).read_text(encoding="utf-8")
        except OSError:
            raise DataError(
                f"{run.path / FIGURES}: is not there: recorded with --record digest, or by an "
                "older hft; replay it with --record full --fresh"
            ) from None

    def text(self) -> str:
        """As Prometheus reads it."""
        return self._text


def serve(
    shown: Watch | RunFigures,
    port: int,
    host: str,
    *,
    wait: Callable[[], object],
    tell: Callable[[str], None],
) -> None:
    """Answer scrapes until `wait` returns. Raises: Busy where the port is taken, ConfigError."""
    with serving(shown.text, port, host) as found:
        tell(f"metrics of {shown.home} at http://{host}:{found}/metrics; Ctrl-C ends it")
        wait()


def catalogue() -> list[Metric]:
    """Every metric there is."""
    return list(CATALOGUE.values())


__all__ = ["RunFigures", "Watch", "catalogue", "serve"]

"""A finished run as an immutable object: figures, frames, journal, report; read from its folder.

Frames are scanned when first asked for and kept; nothing recorded is ever changed. Where a
crash left a table without its end, the rows come from the journal.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa

from hft.core.errors import JournalError
from hft.reports import cards
from hft.reports.figures import Figures
from hft.reports.mode import fault_words, mode_words
from hft.reports.performance import distinct
from hft.reports.refusals import counted, notice, refusals
from hft.reports.view import View
from hft.runs import tables
from hft.runs.damage import damage_is_a_sentence
from hft.runs.folder import (
    DIGEST,
    JOURNAL,
    LIMITS,
    LOGS,
    MANIFEST,
    METRICS,
    NAMES,
    PARTIAL,
    SNAPSHOT,
    read_json,
)
from hft.runs.journal import has_journal, read_steps
from hft.runs.names import RunNames
from hft.runs.orders import orders_frame
from hft.runs.summary import contracts


@damage_is_a_sentence
@dataclass(frozen=True, repr=False)
class Run:
    """One replay and what it left behind.

    Times in frames are UTC nanoseconds; `price` (float) stands beside `price_tick`, quantities are
    lots, money is in the settlement currency. Raises: JournalError for a folder that is not a run.
    """

    path: Path

    @classmethod
    def open(cls, path: str | Path) -> "Run":
        """The run in a folder, checked to be one."""
        run = cls(Path(path))
        if not (run.path / NAMES).is_file():
            raise JournalError(f"{run.path}: not a run folder ({NAMES} is missing)")
        return run

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """What the run depends on: hashes of code, configuration, tapes and seed; the source."""
        return read_json(self.path / MANIFEST)

    @cached_property
    def names(self) -> RunNames:
        """The instruments and strategies behind the indices."""
        return RunNames.from_json(read_json(self.path / NAMES))

    @property
    def id(self) -> str:
        """The folder's name without its state."""
        return self.path.name.removesuffix(PARTIAL)

    @property
    def digest(self) -> str:
        """The run's digest; empty when it never ended."""
        path = self.path / DIGEST
        return path.read_text(errors="replace").strip() if path.is_file() else ""

    @property
    def record(self) -> str:
        """How much was kept: digest, summary or full."""
        return str(self.manifest.get("record", "digest"))

    @property
    def partial(self) -> bool:
        """Was the run interrupted?"""
        return bool(self.manifest.get("partial", True))

    @property
    def resumable(self) -> bool:
        """Can `resume=` continue it? Runs of compiled strategies can."""
        return self.partial and (self.path / SNAPSHOT).is_file()

    @property
    def config(self) -> dict[str, Any]:
        """Strategies, venue, limits, faults and times as they were asked for."""
        return dict(self.manifest.get("config", {}))

    @property
    def source(self) -> str:
        """The strategies' source text as it was replayed."""
        entries = self.config.get("strategies", {})
        texts = {name: str(entry.get("source", "")) for name, entry in entries.items()}
        if len(texts) == 1:
            return next(iter(texts.values()))
        return "\n\n".join(f"# {name}\n{text}" for name, text in texts.items())

    @property
    def mode(self) -> dict[str, str]:
        """How the venue was simulated: latency, queue, fills, fees, limits, faults."""
        words = mode_words(self.config.get("venue", {}))
        limits = str(self.config.get("limits", {}).get("name", ""))
        off = limits == "off"
        words["limits"] = "off: nothing is refused, accounting only" if off else limits
        words["faults"] = fault_words(self.config.get("faults", {}))
        return {name: text for name, text in words.items() if text}

    @property
    def limits(self) -> str:
        """The resolved limits as YAML text."""
        path = self.path / LIMITS
        return path.read_text(encoding="utf-8") if path.is_file() else ""

    @cached_property
    def metrics(self) -> Figures:
        """Figures by name, each with its unit."""
        if not (self.path / METRICS).is_file():
            return Figures()
        return Figures.from_json(read_json(self.path / METRICS)["metrics"])

    @cached_property
    def totals(self) -> dict[str, Any]:
        """What the engine counted, and its final positions."""
        if not (self.path / METRICS).is_file():
            return {}
        return dict(read_json(self.path / METRICS)["totals"])

    @cached_property
    def fills(self) -> pl.DataFrame:
        """One row per fill as it reached us."""
        return self._frame("fills").collect()

    @cached_property
    def equity(self) -> pl.DataFrame:
        """Samples of position and P&L per strategy and symbol."""
        return distinct(self._frame("equity")).collect()

    @cached_property
    def decisions(self) -> pl.DataFrame:
        """One row per intent with the gateway's reason and margin (record full)."""
        return self._frame("decisions").collect()

    @cached_property
    def events(self) -> pl.DataFrame:
        """What happened to orders at the venue and on the way back (record full)."""
        return self._frame("events").collect()

    @cached_property
    def orders(self) -> pl.DataFrame:
        """One row per order sent: its way, status, fills and times (record full)."""
        return orders_frame(self._frame("decisions"), self._frame("events")).collect()

    @cached_property
    def positions(self) -> pl.DataFrame:
        """The position after each fill, with what it had earned and paid until then."""
        by = ("strategy", "symbol")
        return self.fills.select(
            "ts",
            *by,
            "position_lots",
            "price",
            realized=pl.col("realized").cum_sum().over(by),
            fees=pl.col("fee").cum_sum().over(by),
        )

    @cached_property
    def series(self) -> pl.DataFrame:
        """Tracked state of the strategies, a column a name (record full)."""
        frame = self._frame("series").collect()
        parts = []
        for s, name in enumerate(self.names.strategies):
            track = self.names.track(s)
            columns = [pl.col(f"v{k}").alias(label) for k, label in enumerate(track)]
            rows = frame.filter(pl.col("strategy") == name)
            parts.append(rows.select("ts", "strategy", *columns))
        return pl.concat(parts, how="diagonal").sort("ts") if parts else frame

    @cached_property
    def logs(self) -> pl.DataFrame:
        """What strategies logged: ts, strategy, code, text, value (record full)."""
        path = self.path / LOGS
        if path.is_file():
            return pl.read_parquet(path)
        return _polars(tables.logs_table(np.zeros(0, _LOG), "", {}))

    @cached_property
    def refusals(self) -> pl.DataFrame:
        """Refusals by reason: count, share, key to change; with margins where record is full."""
        if self.record == "full":
            return refusals(self._frame("decisions"), int(self.totals.get("lost_intents", 0)))
        return counted(self.totals.get("reasons", {}))

    @cached_property
    def costs(self) -> pl.DataFrame:
        """Turnover, fees and spread captured by symbol, side and liquidity."""
        from hft.reports.costs import costs, with_values

        return costs(with_values(self.fills, contracts(self.names)))

    @cached_property
    def markouts(self) -> pl.DataFrame:
        """What the mid did after the fills, by horizon, side and liquidity."""
        from hft.reports.costs import with_values
        from hft.reports.markout import markouts

        return markouts(with_values(self.fills, contracts(self.names)), self.equity)

    def steps(self) -> Iterator[np.ndarray]:
        """The journal, a block of STEP rows at a time (record full)."""
        if not has_journal(self.path / JOURNAL):
            raise JournalError(f'{self.path}: no journal; run it again with record="full"')
        return read_steps(self.path / JOURNAL)

    def order(self, order_id: int) -> pl.DataFrame:
        """Everything that happened to one order, in order."""
        return self.events.filter(pl.col("order_id") == order_id)

    def report(self, path: str | Path | None = None) -> Path:
        """Write the self-contained report; the same run gives the same bytes."""
        from hft.reports.html import render
        from hft.storage.atomic import write_atomic

        target = self.path / "report.html" if path is None else Path(path)
        write_atomic(target, render(self.view(full=True)))
        return target

    def plot(self, *what: str) -> Any:
        """One plotly figure: equity, position and price with fills."""
        from hft.reports.plots import figure

        return figure(self.view(full=True), what)

    def verify(self) -> Any:
        """Replay again from the manifest and compare digests."""
        from hft.runs.verify import verify

        return verify(self)

    def diff(self, other: "Run") -> Any:
        """The first step at which two runs differ."""
        from hft.runs.diff import diff

        return diff(self, other)

    def fork(self, at: Any, **params: Any) -> "Run":
        """Replay to step (or time) `at`, then go on with other parameters."""
        from hft.runs.fork import fork

        return fork(self, at, params)

    def export(self, path: str | Path) -> Path:
        """The run as one archive for another machine; tapes are not in it."""
        from hft.runs.export import export

        return export(self, path)

    def view(self, full: bool = False) -> View:
        """What cards and reports show; `full` adds the frames of the report."""
        table = self.refusals
        get = self.metrics.get_value
        due = notice(get("refused") or 0, get("decisions") or 0, table)
        base = View(
            title=_title(self.names),
            currency=self.names.currency,
            digest=self.digest,
            figures=self.metrics,
            labels=_labels(self),
            mode=self.mode,
            notice=due,
            record=self.record,
            partial=self.partial,
            refusals=table,
            ticks={
                symbol: float(one.tick)
                for symbol, one in zip(self.names.symbols, self.names.instruments, strict=True)
            },
        )
        return _with_frames(base, self) if full and self.record != "digest" else base

    def to_json(self) -> dict[str, Any]:
        """The essence of the card with every figure and its unit."""
        view = self.view()
        return {
            "run_id": self.id,
            "path": str(self.path),
            "partial": self.partial,
            "record": self.record,
            "digest": self.digest,
            "notice": view.notice,
            "card": {line.label: line.text for line in cards.card_lines(view)},
            "metrics": {name: one._asdict() for name, one in self.metrics.items()},
            "refusals": _rows(view.refusals),
            "mode": self.mode,
        }

    def __repr__(self) -> str:
        return f"{cards.text_card(self.view())}\n  run: {self.path}"

    def _repr_html_(self) -> str:
        return cards.html_card(self.view())

    def _frame(self, name: str) -> pl.LazyFrame:
        """A table of the folder; from the journal when the table has no end."""
        path = self.path / f"{name}.parquet"
        level = "full" if name in ("decisions", "events", "series") else "summary"
        if not path.is_file():
            raise JournalError(f'{self.path}: {name} was not recorded; use record="{level}"')
        try:
            scanned = pl.scan_parquet(path)
            scanned.collect_schema()
            return scanned
        except (pl.exceptions.PolarsError, OSError):
            return self._rebuilt(name, path)

    def _rebuilt(self, name: str, path: Path) -> pl.LazyFrame:
        makers: dict[str, Callable[[np.ndarray, RunNames], pa.Table]] = {
            "decisions": tables.decisions_table,
            "events": tables.events_table,
            "fills": tables.fills_from_steps,
        }
        if name not in makers or not has_journal(self.path / JOURNAL):
            raise JournalError(f"{path}: has no end; the run was killed while writing it") from None
        parts = [makers[name](steps, self.names) for steps in self.steps()]
        return _polars(pa.concat_tables(parts)).lazy()


_LOG = np.dtype([("ts_ns", np.int64), ("code", np.int64), ("value", np.float64)])


def _polars(table: pa.Table) -> pl.DataFrame:
    frame = pl.from_arrow(table)
    assert isinstance(frame, pl.DataFrame)
    return frame


def _rows(table: pl.DataFrame | None) -> list[dict[str, Any]]:
    return (
        [] if table is None else table.select("reason", "count", "margin", "unit", "key").to_dicts()
    )


def _title(names: RunNames) -> str:
    return f"{', '.join(names.strategies)} on {', '.join(names.symbols)}"


def _labels(run: Run) -> dict[str, str]:
    """Digest inputs in words; where a file lies is not one."""
    manifest, labels = run.manifest, {}
    for k, tape in enumerate(manifest.get("tapes", []), start=1):
        labels[f"tape {k}"] = f"{tape['rows']:,} rows, sha256 {tape['sha256'][:16]}"
    for name, entry in run.config.get("strategies", {}).items():
        params = ", ".join(f"{key} = {value}" for key, value in entry["params"].items())
        labels[f"strategy {name}"] = params or "no parameters"
    fork = run.config.get("fork")
    if fork is not None:
        changed = [f"{k} = {v}" for values in fork["params"].values() for k, v in values.items()]
        labels["fork"] = f"from step {fork['at_step']:,} on: {', '.join(changed)}"
    for name, value in manifest.get("hashes", {}).items():
        labels[name if name == "seed" else f"{name} hash"] = str(value)[:16]
    return labels


def _with_frames(base: View, run: Run) -> View:
    from dataclasses import replace

    from hft.reports.latency import latencies

    full = run.record == "full"
    return replace(
        base,
        equity=run.equity,
        fills=run.fills,
        costs=run.costs,
        markouts=run.markouts,
        latencies=latencies(run.orders) if full else None,
        margins=_margins(run) if full else None,
        series=run.series if full else None,
    )


def _margins(run: Run) -> pl.DataFrame:
    refused = run._frame("decisions").filter(pl.col("reason_code") != 0)
    return refused.select("ts", "reason", "margin", "unit").collect()

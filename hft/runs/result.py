"""A finished run as an immutable object: what its folder has, its card, report and comparisons."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from hft.core.errors import ConfigError, HftError
from hft.gateway.limits import Limits
from hft.reports import cards
from hft.reports.mode import fault_words, mode_words
from hft.reports.refusals import counted, is_due, notice, refusals
from hft.reports.view import View
from hft.runs.advice import advice_of, advise
from hft.runs.folder.damage import damage_is_a_sentence
from hft.runs.folder.guards import with_keys
from hft.runs.folder.layout import ADVICE
from hft.runs.folder.listing import resolve
from hft.runs.folder.names import RunNames
from hft.runs.folder.reader import RunReader
from hft.runs.folder.summary import contracts
from hft.runs.open_hours import hours_notice, try_hours
from hft.runs.tapes import Folders

if TYPE_CHECKING:
    from hft.reports.governance.svg import Plot


@damage_is_a_sentence
@dataclass(frozen=True, repr=False)
class Run(RunReader):
    """One replay and what it left behind.

    Times in frames are UTC nanoseconds; `price` (float) stands beside `price_tick`, quantities are
    lots, money is in the settlement currency. Raises: JournalError for a folder that is not a run.
    """

    @property
    def mode(self) -> dict[str, str]:
        """How the venue was simulated: latency, queue, fills, fees, limits, faults."""
        inexact = [
            self.names.symbols[row["instrument_idx"]]
            for row in self.totals.get("markets", [])
            if not row["exact_queue"]
        ]
        charged = {
            name: (one.maker_bps, one.taker_bps)
            for name, one in zip(self.names.symbols, self.names.instruments, strict=True)
        }
        words = mode_words(self.config.get("venue", {}), inexact, charged)
        limits = str(self.config.get("limits", {}).get("name", ""))
        off = limits == "off"
        words["limits"] = "off: nothing is refused, accounting only" if off else limits
        words["faults"] = fault_words(self.config.get("faults", {}))
        return {name: text for name, text in words.items() if text}

    @cached_property
    def refusals(self) -> pl.DataFrame:
        """Refusals by reason: count, share, key to change; with margins where record is full."""
        if self.record == "full":
            table = refusals(self._frame("decisions"), int(self.totals.get("lost_intents", 0)))
        else:
            table = counted(self.totals.get("reasons", {}))
        return with_keys(table, self._kept("trips"))

    @cached_property
    def costs(self) -> pl.DataFrame:
        """Turnover, fees and spread captured by symbol, side and liquidity."""
        from hft.reports.costs import costs, with_values

        return costs(with_values(self.fills, contracts(self.names)))

    @cached_property
    def daily(self) -> pl.DataFrame:
        """Net P&L, its parts, drawdown and fills by day: the days that `metrics["days"]` names."""
        from hft.reports.daily import daily
        from hft.reports.performance import distinct

        samples = distinct(self.equity.lazy()).collect()
        return daily(samples, self.fills, self.names.instruments)[0]

    @cached_property
    def round_trips(self) -> pl.DataFrame:
        """Lots bought and sold again, first in, first out: times, prices, what each earned."""
        from hft.reports.costs import with_values
        from hft.reports.round_trips import round_trips

        found = round_trips(with_values(self.fills, contracts(self.names)))
        return found.with_columns(
            pl.from_epoch(name, time_unit="ns").dt.replace_time_zone("UTC").alias(name)
            for name in ("opened", "closed")
        )

    @cached_property
    def markouts(self) -> pl.DataFrame:
        """What the mid did after the fills, by horizon, side and liquidity."""
        from hft.reports.costs import with_values
        from hft.reports.markout import markouts

        return markouts(with_values(self.fills, contracts(self.names)), self.equity)

    def report(self, path: str | Path | None = None) -> Path:
        """Write the self-contained report; the same run gives the same bytes."""
        from hft.reports.html import render
        from hft.storage.atomic import write_atomic

        target = self.path / "report.html" if path is None else Path(path)
        write_atomic(target, render(self.view(full=True)))
        return target

    def plot(self, *what: str, series: str | Sequence[str] = ()) -> "Plot":
        """One picture: equity, position and price with fills, or those of them named.

        `series` are tracked columns of the strategies, which add a panel of their own.
        """
        from hft.reports.plots import figure

        chosen = (series,) if isinstance(series, str) else tuple(series)
        return figure(self.view(full=True), what, chosen)

    def verify(self, tapes: Folders = None) -> Any:
        """Replay again from the manifest and compare digests; `tapes` is a folder to find them."""
        from hft.runs.verify import verify

        return verify(self, tapes=tapes)

    def diff(self, other: "Run | str | Path") -> Any:
        """The first step at which two runs differ; a name is looked for beside this run."""
        from hft.runs.diff import diff

        if isinstance(other, str | Path):
            other = load(other, self.path.parent)
        if not isinstance(other, RunReader):
            raise ConfigError(f"diff: {other!r} is no run and no name of one")
        return diff(self, other)

    def fork(self, at: Any, **params: Any) -> "Run":
        """Replay to step (or time) `at`, then go on with other parameters: fork(500, half=2).

        As a mapping they are `params={"half": 2}`, as `hft.replay` takes them.
        """
        from hft.runs.fork import fork

        if isinstance(params.get("params"), Mapping):
            params = {**params.pop("params"), **params}
        return as_run(fork, self, at, params)

    def relimit(self, limits: Limits) -> Any:
        """What other limits would have decided: `.table`, `.decisions`, `.would_pass`."""
        from hft.runs.relimit import relimit

        return relimit(self, limits)

    def export(self, path: str | Path) -> Path:
        """The run as one archive for another machine; tapes are not in it."""
        from hft.runs.export import export

        return export(self, path)

    def view(self, full: bool = False) -> View:
        """What cards and reports show; `full` adds the frames of the report."""
        table = self.refusals
        get = self.metrics.get_value
        counts = get("refused") or 0, get("decisions") or 0
        due = notice(*counts, table, advice_of(self))
        due = "; ".join(filter(None, [hours_notice(self), due, *self.manifest.get("warnings", ())]))
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
            trips=self._kept("trips"),
            controls=self._kept("controls"),
            stopped=self.stopped,
            parts=_parts(self),
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
            "stopped": self.stopped,
            "resumable": self.resumable,
            "record": self.record,
            "digest": self.digest,
            "notice": view.notice,
            "card": {line.label: line.text for line in cards.card_lines(view)},
            "metrics": {name: one._asdict() for name, one in self.metrics.items()},
            "refusals": _rows(view.refusals),
            "parts": [] if view.parts is None else view.parts.to_dicts(),
            "mode": self.mode,
        }

    def __repr__(self) -> str:
        more = f"\n  goes on with: --resume {self.id}" if self.resumable else ""
        return f"{cards.text_card(self.view())}\n  run: {self.path}{more}"

    def _repr_html_(self) -> str:
        return cards.html_card(self.view())


def as_run(
    replay: Callable[..., RunReader], *given: Any, advised: bool = True, **options: Any
) -> Run:
    """What `execute` or `fork` leaves, as a `Run`; of a replay that is stopped, on the error.

    A run refused much is `advised`: repeated, up to five times, under limits that refuse less.
    """
    try:
        run = Run(replay(*given, **options).path)
    except (KeyboardInterrupt, HftError) as stop:
        if isinstance(kept := getattr(stop, "run", None), RunReader):
            stop.run = Run(kept.path)  # type: ignore[union-attr]
        raise
    try:
        if advised:
            _try_advice(run)
        try_hours(run)
    except OSError:
        return run  # a folder that cannot be written any more keeps no sentence
    except KeyboardInterrupt as stop:
        stop.run = run  # type: ignore[attr-defined]
        raise
    return run


def _try_advice(run: Run) -> None:
    """A run that was refused much is told what was tried, once; it needs the journal."""
    get = run.metrics.get_value
    untried = run.record == "full" and not (run.path / ADVICE).exists()
    if untried and not run.partial and is_due(get("refused") or 0, get("decisions") or 0):
        advise(run)


def load(name: str | Path, out: str | Path = "runs") -> Run:
    """A run by path, `last`, `last~1`, `last.partial`, id or unique beginning of an id."""
    return Run.open(resolve(name, out))


def _rows(table: pl.DataFrame | None) -> list[dict[str, Any]]:
    return (
        [] if table is None else table.select("reason", "count", "margin", "unit", "key").to_dicts()
    )


def _title(names: RunNames) -> str:
    return f"{', '.join(names.strategies)} on {', '.join(names.symbols)}"


def _parts(run: Run) -> pl.DataFrame | None:
    """Each strategy on each instrument, as the engine counted; None where there is one pair."""
    rows, names = run.totals.get("positions", []), run.names
    if len(rows) < 2:
        return None
    scale = float(10**names.digits)
    made = []
    for row in rows:
        gross = (row["realized_money"] + row["unrealized_money"]) / scale
        fees = row["fees_money"] / scale
        made.append(
            {
                "strategy": names.strategies[row["strategy_idx"]],
                "symbol": names.symbols[row["instrument_idx"]],
                f"net {names.currency}": gross - fees,
                "gross": gross,
                "fees": fees,
                "fills": row["fills"],
                "position": row["qty"],
            }
        )
    return pl.DataFrame(made)


def _labels(run: Run) -> dict[str, str]:
    """Digest inputs in words; where a file lies is not one."""
    manifest, labels = run.manifest, {}
    for k, tape in enumerate(manifest.get("tapes", []), start=1):
        name = f"{tape['name']}: " if "name" in tape else ""
        labels[f"tape {k}"] = f"{name}{tape['rows']:,} rows, sha256 {tape['sha256'][:16]}"
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
    from hft.runs.shown_market import shown_market

    full = run.record == "full"
    shown = shown_market(run)
    return replace(
        base,
        markets=shown.markets,
        untaped=shown.untaped,
        own=shown.own,
        logs=run.logs if full else None,
        resume=run.id if run.resumable else "",
        equity=run.equity,
        fills=run.fills,
        costs=run.costs,
        round_trips=run.round_trips,
        daily=run.daily,
        markouts=run.markouts,
        latencies=latencies(run.orders) if full else None,
        margins=_margins(run) if full else None,
        series=run.series if full else None,
    )


def _margins(run: Run) -> pl.DataFrame:
    refused = run._frame("decisions").filter(pl.col("reason_code") != 0)
    return refused.select("ts", "reason", "margin", "unit").collect()

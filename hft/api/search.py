"""`hft.alpha.search`: find expressions, with every candidate in the workspace's ledger."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hft.api.desk import Desk, open_desk
from hft.core.errors import ConfigError, ValidationError
from hft.reports.governance.document import Document
from hft.reports.governance.shown import Shown


@dataclass(frozen=True, repr=False)
class Search(Shown):
    """What `hft.alpha.search` returns: the best candidates, counts, the price, the page."""

    result: Mapping[str, Any]
    price: str
    path: Path
    document: Document | None = None

    @property
    def results(self) -> list[dict[str, Any]]:
        """The best candidates, best first (contract 5.8)."""
        return list(self.result["results"])

    @property
    def table(self) -> Any:
        """The best candidates as a polars frame."""
        import polars as pl

        rows = [
            {name: value for name, value in one.items() if name != "metadata"}
            | {
                name: one["metadata"][name]
                for name in ("sharpe_held", "ic_mean", "turnover", "depth", "reason")
            }
            for one in self.results
        ]
        return pl.DataFrame(rows)

    @property
    def report_path(self) -> Path:
        """The page."""
        return self.path / "report.html"

    def to_json(self) -> dict[str, Any]:
        """Everything as JSON-ready data."""
        return {**self.result, "price": self.price, "path": str(self.path)}

    def text(self, shown: Callable[[Any], str] | None = None) -> str:
        """The summary a terminal shows; `shown` writes the table, whole unless given."""
        from hft.reports.render import frame_text
        from hft.research.search.results import PASSED

        found, same = self.result, self.result["duplicates"]
        lines = [
            f"{found['plan']['mode']} search: {found['evaluated']} evaluated, "
            f"{found['passed']} passed, {found['failures']} without a score",
            f"left out: {same['canonical']} of the same form, {same['function']} of the same "
            f"function; {same['behaviour']} took the same positions as another",
            f"returns: {found['data']['returns_used']}",
        ]
        if found["passed"]:
            lines.append(f"passed is above the hurdle, the last line; {PASSED}")
        return "\n".join([*lines, "", (shown or frame_text)(self.table), "", self.price])

    def __repr__(self) -> str:
        return self.text()


def search(
    data: Any,
    *,
    feature_fields: Sequence[str] = (),
    mode: str = "random",
    returns_field: str | None = None,
    trials: int = 100,
    template: str | None = None,
    grid: str = "",
    population: int = 40,
    generations: int = 10,
    seed: int = 42,
    top: int = 10,
    workers: int = 1,
    executor: str = "processes",
    address: str | None = None,
    threshold: float = 0.3,
    taker_bps: float = 0.2,
    tell: Callable[[str], None] | None = None,
    progress: Callable[[int, int], None] | None = None,
    root: str | Path | None = None,
    now: Any = None,
) -> Search:
    """Search the expression language on data that counts; called again after a stop it goes on.

    `data` is files, folders, globs or a frame; `returns_field` is the return of each row, or the
    price. Without one the result is `proxy` and nothing passes. `tell` gets the price first.

    >>> import hft
    >>> found = hft.alpha.search("bars.parquet", feature_fields=["ofi"], returns_field="mid",
    ...                          trials=8, top=3)
    >>> found.result["evaluated"], len(found.results)
    (8, 3)
    """
    from hft.research.data import usage
    from hft.research.search.run import Plan
    from hft.research.search.workers import check_place

    if top < 1:
        raise ConfigError(f"top: {top} is not at least 1")
    check_place(executor, workers)
    plan = Plan(
        *(mode, trials, template, grid, population, generations, seed, threshold, taker_bps)
    )
    desk = open_desk(root, now=now)
    market, use = _market(desk, data, plan, feature_fields, returns_field)
    price = _price(desk, plan, market)
    if tell is not None:
        tell(price)
    usage.record(desk.workspace, use, desk.now_ns, desk.looked)
    places = {"workers": workers, "executor": executor, "address": address, "progress": progress}
    return _run(desk, plan, market, price, top, places)


def _market(
    desk: Desk, data: Any, plan: Any, fields: Sequence[str], returns_field: str | None
) -> tuple[Any, Any]:
    """The data that counts as a market, and the use of it. Raises: ValidationError for rows that
    prove nothing."""
    from hft.research.data import usage
    from hft.research.data.load import load
    from hft.research.search.candidates import named_in
    from hft.research.search.market import of_research
    from hft.research.search.results import FAMILY

    whole = load(data)
    rows = whole.select("validate")
    wrong = desk.unknown_uses()
    wrong += usage.spoiled(usage.uses(desk.workspace, whole), whole, rows)
    if wrong:
        raise ValidationError(wrong[0])
    market = of_research(
        rows,
        fields,
        returns_field=returns_field,
        taker_bps=plan.taker_bps,
        pool=pool_signals(desk, rows),
        named=named_in(plan.template or "", plan.grid) if plan.mode == "template" else (),
    )
    return market, usage.Use.of("validate", FAMILY, whole, rows)


def _run(
    desk: Desk, plan: Any, market: Any, price: str, top: int, places: dict[str, Any]
) -> Search:
    from hft.research.search.results import document, keep, result_of, trials_of
    from hft.research.search.run import run, search_hash
    from hft.research.trial import LABEL_FAMILY

    folder = desk.workspace.search_results / f"{plan.mode}_{search_hash(plan, market)}"
    state = run(
        plan,
        market,
        folder,
        record=lambda items: _append(desk, trials_of(items, plan, market)),
        price=price,
        cache_mb=desk.settings.alpha_search_cache_mb,
        **places,
    )
    seen = desk.ledger.family(label_family=LABEL_FAMILY, interval=market.interval)
    result = result_of(plan, market, state, top, seen.hurdle or 0.0)
    shown = document(result, state)
    keep(folder, result, shown)
    return Search(result, price, folder, shown)


def _append(desk: Desk, trials: Sequence[Any]) -> None:
    desk.ledger.append(trials, desk.now_ns)


def _price(desk: Desk, plan: Any, market: Any) -> str:
    from hft.research.search.results import FAMILY, planned_ids
    from hft.research.trial import LABEL_FAMILY

    price = desk.ledger.price(
        family=FAMILY,
        label_family=LABEL_FAMILY,
        interval=market.interval,
        n_obs=len(market.days),
        trial_ids=planned_ids(plan, market),
        new=plan.population * plan.generations,
    )
    return str(price.line)


def pool_signals(desk: Desk, rows: Any) -> dict[str, np.ndarray]:
    """The newest signals of the workspace's alphas on these rows; 0 where one has none."""
    from hft.research.pool import read_pool

    pool = read_pool(desk.workspace.experiments)
    if pool.empty:
        return {}
    found = {}
    for k, name in enumerate(pool.alpha_ids):
        values = np.zeros(len(rows))
        if pool.ts_ns is None:
            count = min(len(values), pool.sample_length)
            values[:count] = pool.signals[:count, k]
        else:
            at = np.minimum(np.searchsorted(pool.ts_ns, rows.ts_ns), pool.sample_length - 1)
            same = pool.ts_ns[at] == rows.ts_ns
            values[same] = pool.signals[at[same], k]
        found[name] = values
    return found

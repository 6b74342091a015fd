"""What a search found, as plain data, as a page and as trials for the ledger.

Nothing here measures time or names a machine: equal searches give equal bytes. The listed
candidates are evaluated once more for what is too dear to compute for all: their information
coefficient.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from hft.reports.governance.document import Document, Fact, Table
from hft.reports.governance.evidence import SearchFront
from hft.research.backtest import DAYS_A_YEAR, DAYS_MIN
from hft.research.expressions.evaluate import evaluate
from hft.research.expressions.expression import Expression, standardised
from hft.research.search.market import Market
from hft.research.search.run import (
    VERSION,
    Found,
    Plan,
    State,
    digest,
    first_round,
    ranking,
    search_hash,
)
from hft.research.trial import LABEL_FAMILY, Trial, trial_id
from hft.statistics.information import ic_by_chunk

FAMILY = "search"
CODE_HASH = hashlib.sha256(VERSION.encode()).hexdigest()
SHOWN_MAX = 2000  # points of the page's picture


def result_of(
    plan: Plan, market: Market, state: State, top: int, hurdle: float = 0.0
) -> dict[str, Any]:
    """The search as JSON-ready data; `results` are the best `top`. `hurdle` is the annual Sharpe
    ratio that the best of all trials on this data would have by luck: below it nothing passes."""
    ranked = ranking(state)
    failures = [one for one in state.found.values() if one.figures["score"] is None]
    return {
        "search": search_hash(plan, market),
        "plan": asdict(plan),
        "data": {
            "content": market.content,
            "rows": market.rows,
            "sessions": len(market.days),
            "fields": list(market.fields),
            "returns_used": market.returns_used,
            "proxy": market.proxy,
            "pool": len(market.pool),
        },
        "sharpe_basis": "daily" if len(market.days) >= DAYS_MIN else "step",
        "drawn": state.drawn,
        "evaluated": len(state.found),
        "trials": sum(not one.twin for one in state.found.values()),
        "duplicates": dict(state.counts),
        "failures": len(failures),
        "never_trade": sum(one.figures["reason"] == "never trades" for one in failures),
        "hurdle": hurdle,
        "passed": sum(_passes(one.figures, hurdle) for one in ranked),
        "results": _listed(ranked[:top], market, hurdle),
    }


def _passes(figures: Mapping[str, Any], hurdle: float) -> bool:
    return bool(figures["passed"]) and figures["sharpe_oos"] > hurdle


def _reason(figures: Mapping[str, Any], hurdle: float) -> str:
    """Why it does not pass; empty where it does, or where its own figures say it."""
    if figures["passed"] and not _passes(figures, hurdle):
        return f"not above the hurdle {hurdle:.2f}"
    return str(figures["reason"] or "")


def _listed(found: Sequence[Found], market: Market, hurdle: float) -> list[dict[str, Any]]:
    """Contract 5.8: expression, score, sharpe_oos, correlation, passed, metadata."""
    listed = []
    for one in found:
        figures = one.figures
        kept = ("sharpe_is", "sharpe_held", "turnover", "net_total", "gross_total")
        listed.append(
            {
                "expression": one.expression.pretty(),
                "score": figures["score"],
                "sharpe_oos": figures["sharpe_oos"],
                "correlation_pool_max": figures["correlation_pool_max"],
                "passed": _passes(figures, hurdle),
                "metadata": {
                    "variables": list(one.expression.fields),
                    "depth": one.expression.depth,
                    "returns_used": market.returns_used,
                    "canonical": one.expression.canonical,
                    "hash": one.expression.hash,
                    "ic_mean": _ic(one.expression, market),
                    **{name: figures[name] for name in kept},
                    "reason": _reason(figures, hurdle),
                },
            }
        )
    return listed


def _ic(expression: Expression, market: Market) -> float | None:
    """Mean of per-chunk Pearson of the signal with what the next row earns; None without one."""
    signal, label = [], []
    for lo, hi in pairwise(market.starts.tolist()):
        columns = {
            name: np.asarray(market.table[market.fields.index(name), lo:hi])
            for name in expression.fields
        }
        signal.append(evaluate([standardised(expression)], columns)[0, :-1])
        label.append(market.earned[lo + 1 : hi])
    x, y = np.concatenate(signal), np.concatenate(label)
    there = np.isfinite(x)
    if there.sum() < 16:
        return None
    found = ic_by_chunk(x[there], y[there])
    mean = found.pearson_mean
    return None if mean is None or not np.isfinite(mean) else float(f"{mean:.9g}")


def _config_hash(plan: Plan, market: Market) -> str:
    return digest({**plan.scoring, "returns": market.returns_used})


def planned_ids(plan: Plan, market: Market) -> list[str] | None:
    """The ids of the trials a search will be, known before it runs; None where it breeds."""
    if plan.rounds > 1:
        return None
    config = _config_hash(plan, market)
    return [
        trial_id(one.canonical, market.content, config, CODE_HASH)
        for one in first_round(plan, market)
    ]


def trials_of(
    items: Sequence[tuple[Expression, str, tuple[float, ...]]],
    plan: Plan,
    market: Market,
) -> list[Trial]:
    """Candidates that were run, as trials of the ledger; a failure keeps an empty vector."""
    config = _config_hash(plan, market)
    return [
        Trial(
            alpha_id=f"{FAMILY}_{expression.hash}",
            family=FAMILY,
            label_family=LABEL_FAMILY,
            canonical=counts_as,
            interval=market.interval,
            config_hash=config,
            data_hash=market.content,
            code_hash=CODE_HASH,
            returns=np.array(net),
            periods_per_year=float(DAYS_A_YEAR),
            source="search",
            seed=plan.seed,
            periods_ns=np.array(market.day_ns) if net else None,
        )
        for expression, counts_as, net in items
    ]


def document(result: Mapping[str, Any], state: State) -> Document:
    """The page of a search."""
    data, plan = result["data"], result["plan"]
    ranked = [one for one in ranking(state) if one.figures["score"] is not None][:SHOWN_MAX]
    figures = [one.figures for one in ranked]
    front = SearchFront(
        expressions=[one.expression.pretty() for one in ranked],
        score=[one["score"] for one in figures],
        complexity=[float(one.expression.depth) for one in ranked],
        passed=[_passes(one, result["hurdle"]) for one in figures],
        sharpe=[one["sharpe_oos"] for one in figures],
        correlation=[one["correlation_pool_max"] for one in figures],
        evaluated=result["evaluated"],
        duplicates=sum(result["duplicates"].values()),
    )
    rows = [
        [
            one["expression"],
            one["score"],
            one["sharpe_oos"],
            one["metadata"]["sharpe_held"],
            one["metadata"]["ic_mean"],
            one["correlation_pool_max"],
            one["metadata"]["turnover"],
            "yes" if one["passed"] else one["metadata"]["reason"] or "no",
        ]
        for one in result["results"]
    ]
    head = [
        "expression",
        "score",
        "Sharpe OOS",
        "of it holding",
        "IC",
        "pool |corr|",
        "turnover",
        "passed",
    ]
    return Document(
        title=f"Search {plan['mode']}, seed {plan['seed']}",
        kind="search",
        subtitle=(
            f"{data['rows']:,} rows, {data['sessions']} sessions, {len(data['fields'])} fields"
        ),
        words=_words(result),
        price=state.price,
        facts=_facts(result),
        pictures=[front] if ranked else [],
        tables=[Table("Best candidates", head, rows)],
    )


def _facts(result: Mapping[str, Any]) -> list[Fact]:
    """What became of everything that was drawn."""
    data = result["data"]
    same = result["duplicates"]
    return [
        Fact("evaluated", f"{result['evaluated']:,}", f"{result['trials']:,} trials of the ledger"),
        Fact(
            "left out",
            f"{same['canonical'] + same['function']:,}",
            f"{same['canonical']} of the same form, {same['function']} of the same function",
        ),
        Fact("same positions", f"{same['behaviour']:,}", "counted as repeats"),
        Fact("without a score", f"{result['failures']:,}", "never traded, or did not vary"),
        Fact(
            "passed",
            f"{result['passed']:,}",
            f"Sharpe above the hurdle {result['hurdle']:.2f}, above holding > 0.5, pool "
            "correlation < 0.7",
        ),
        Fact("returns", data["returns_used"], "proxy never passes" if data["proxy"] else ""),
    ]


PASSED = "the hurdle is what the best of so many tries has by luck"


def _words(result: Mapping[str, Any]) -> str:
    if not result["results"] or result["results"][0]["score"] is None:
        return "No candidate could be scored."
    best = result["results"][0]
    hurdle = f"the hurdle of {result['hurdle']:.2f}"
    said = f"passes {hurdle}" if best["passed"] else f"does not pass ({hurdle})"
    return f"The best of {result['trials']:,} has a score of {best['score']:.2f} and {said}."


def keep(folder: Path, result: Mapping[str, Any], doc: Document) -> None:
    """Write results.json and report.html into the search's folder."""
    from hft.reports.governance.pages import search_page
    from hft.research.experiments import json_text
    from hft.storage.atomic import write_atomic

    write_atomic(folder / "results.json", json_text(result))
    write_atomic(folder / "report.html", search_page(doc))

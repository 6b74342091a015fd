"""What `hft alpha pool` shows and keeps: one document, its JSON and its page, in a folder."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hft.reports.figures import counted
from hft.reports.governance.document import Document, Fact, Table
from hft.reports.governance.evidence import CorrelationPool, Heatmap, Picture
from hft.reports.governance.pages import pool_page
from hft.research.experiments import json_text, run_id_of
from hft.research.pool.marginal import Marginal
from hft.research.pool.matrix import Matrix, Redundant
from hft.research.pool.members import Pool
from hft.research.pool.weights import Weights
from hft.storage.atomic import staged

RETURNS = {
    "market": "Found by the market's returns on the common rows.",
    "given": "Found by the returns that were given.",
    "none": "Found without returns.",
}
RESULT, PAGE, MANIFEST = "pool.json", "report.html", "manifest.json"


def keep(experiments: Path, result: Mapping[str, Any], doc: Document, now_ns: int) -> Path:
    """Write result, page and manifest into `comparisons/<run_id>`; returns the folder.

    The page shows inputs and what follows from them; time and run_id are in the manifest.
    """
    text = json_text(result)
    run_id = run_id_of(now_ns, "pool", text)
    folder = experiments / "comparisons" / run_id
    written = datetime.fromtimestamp(now_ns // 1_000_000_000, UTC).isoformat()
    with staged(folder) as stage:
        stage.aside(RESULT).write_text(text, encoding="utf-8")
        stage.aside(PAGE).write_text(pool_page(doc), encoding="utf-8")
        manifest = {"run_id": run_id, "written": written, "files": [RESULT, PAGE]}
        stage.aside(MANIFEST).write_text(json_text(manifest), encoding="utf-8")
    return folder


def document(
    pool: Pool,
    found: Matrix,
    pairs: Sequence[Redundant],
    *,
    threshold: float = 0.7,
    metric: str = "pearson",
    mixed: Weights | None = None,
    candidate: Marginal | None = None,
) -> Document:
    """The page of a pool: heat map, close pairs, weights, what a candidate adds."""
    facts = [
        Fact("alphas", str(len(pool.alpha_ids))),
        Fact("common rows", f"{pool.sample_length:,}", f"aligned by {pool.aligned_by}"),
        Fact("redundant pairs", str(len(pairs)), f"|{metric}| at least {threshold:g}"),
    ]
    if candidate is not None:
        facts.append(
            Fact(
                f"uplift of {candidate.alpha_id}",
                f"{candidate.uplift:.3g}",
                candidate.reason,
                "good" if candidate.passed else "bad",
            )
        )
    return Document(
        title=f"Pool of {counted(len(pool.alpha_ids), 'alpha')}",
        kind="pool",
        facts=tuple(facts),
        pictures=_pictures(found, threshold, metric, candidate),
        absent={} if pool.alpha_ids else {"heatmap": "no alpha has kept signals yet"},
        tables=_tables(pool, pairs, mixed, candidate),
        inputs={"runs": ", ".join(f"{k} {v}" for k, v in sorted(pool.runs.items()))},
    )


def _pictures(
    found: Matrix, threshold: float, metric: str, candidate: Marginal | None
) -> tuple[Picture, ...]:
    if not found.alpha_ids:
        return ()
    made: list[Picture] = [
        Heatmap(
            ids=found.alpha_ids,
            matrix=found.of(metric),
            threshold=threshold,
            metric=metric.capitalize(),
        )
    ]
    if candidate is not None and len(found.alpha_ids) > 1:
        at = found.alpha_ids.index(candidate.alpha_id)
        others = [k for k in range(len(found.alpha_ids)) if k != at]
        made.append(
            CorrelationPool(
                ids=[found.alpha_ids[k] for k in others],
                correlation=found.of(metric)[at, others],
                limit=threshold,
                note=f"Of the signals of {candidate.alpha_id}.",
            )
        )
    return tuple(made)


def _tables(
    pool: Pool,
    pairs: Sequence[Redundant],
    mixed: Weights | None,
    candidate: Marginal | None,
) -> tuple[Table, ...]:
    tables = []
    if pairs:
        rows = [[one.alpha_a, one.alpha_b, f"{one.correlation:+.3f}"] for one in pairs]
        tables.append(Table("Redundant pairs", ("alpha", "alpha", "correlation"), rows, left=2))
    if mixed is not None:
        ic = [None] * len(mixed.alpha_ids) if mixed.ic is None else mixed.ic.tolist()
        rows = [
            [name, f"{value:+.4f}", "-" if one is None else f"{one:+.4f}"]
            for name, value, one in zip(mixed.alpha_ids, mixed.values.tolist(), ic, strict=True)
        ]
        note = " ".join([RETURNS[mixed.returns], *(f"{one}." for one in mixed.notes)])
        tables.append(Table(f"Weights: {mixed.method}", ("alpha", "weight", "IC"), rows, note))
    if candidate is not None:
        rows = [[name, _text(value)] for name, value in candidate.facts.items()]
        tables.append(Table(f"{candidate.alpha_id} against the pool", ("fact", "value"), rows))
    if pool.bad_values or pool.left_out:
        rows = [[name, f"{count} values are no numbers"] for name, count in pool.bad_values.items()]
        rows += [[name, why] for name, why in pool.left_out.items()]
        tables.append(Table("Findings", ("alpha", "finding"), rows, left=2))
    return tuple(tables)


def _text(value: Any) -> str:
    if value is None:
        return "undefined"
    return f"{value:.4g}" if isinstance(value, float) else str(value)

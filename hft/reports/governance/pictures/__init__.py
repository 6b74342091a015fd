"""How each picture is drawn: a title, what it says in one sentence, charts, and its figures."""

from collections.abc import Callable
from typing import Any

from hft.reports.governance.evidence import Picture
from hft.reports.governance.pictures import edge, life, luck, pool, search, stress
from hft.reports.governance.pictures.drawn import Drawn

DRAW: dict[str, Callable[[Any], Drawn]] = {
    "equity": edge.equity,
    "path_fan": edge.path_fan,
    "walk_forward": edge.walk_forward,
    "ic_decay": edge.ic_decay,
    "pbo_histogram": luck.pbo_histogram,
    "dsr_curve": luck.dsr_curve,
    "trial_history": luck.trial_history,
    "parameter_plateau": stress.parameter_plateau,
    "cost_latency": stress.cost_latency,
    "correlation_pool": pool.correlation_pool,
    "heatmap": pool.heatmap,
    "search_front": search.search_front,
    "canary_process": life.canary_process,
    "condition_timeline": life.condition_timeline,
}


def draw(picture: Picture) -> Drawn:
    """A picture, drawn."""
    return DRAW[picture.kind](picture)

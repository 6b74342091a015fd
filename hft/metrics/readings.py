"""Figures by name and labels, and the text of them that Prometheus reads (format 0.0.4)."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

from hft.core.errors import InvariantError
from hft.metrics.catalogue import CATALOGUE, Metric
from hft.metrics.histogram import cumulative

Labels = tuple[str, ...]
_ESCAPES = str.maketrans({"\\": r"\\", "\n": r"\n", '"': r"\""})


class Readings:
    """What was read. Raises: InvariantError for a name or labels that the catalogue has not."""

    def __init__(self) -> None:
        self._values: dict[str, dict[Labels, Any]] = {}

    def put(self, name: str, value: float, *labels: str) -> None:
        """A figure; what is put again is replaced."""
        self._of(name, labels)[labels] = value

    def put_histogram(self, name: str, cells: Sequence[int]) -> None:
        """The cells of a `Histogram`."""
        if len(cells) != len(CATALOGUE[name].bounds) + 2:
            raise InvariantError(f"{name}: {len(cells)} cells are not those of its buckets")
        self._of(name, ())[()] = [int(cell) for cell in cells]

    def get(self, name: str, *labels: str) -> Any:
        """A figure, or the cells of a histogram; None where it was not read."""
        return self._values.get(name, {}).get(labels)

    def names(self) -> set[str]:
        """What was read."""
        return set(self._values)

    def text(self) -> str:
        """The figures in the catalogue's order, each with its kind and meaning."""
        return "".join(line + "\n" for line in self._lines())

    def _of(self, name: str, labels: Labels) -> dict[Labels, Any]:
        metric = CATALOGUE.get(name)
        if metric is None or len(labels) != len(metric.labels):
            raise InvariantError(f"{name}{labels}: is no row of the catalogue of metrics")
        return self._values.setdefault(name, {})

    def _lines(self) -> Iterator[str]:
        for metric in CATALOGUE.values():
            found = self._values.get(metric.name)
            if not found:
                continue
            yield f"# HELP {metric.name} {metric.meaning} ({metric.unit})"
            yield f"# TYPE {metric.name} {metric.kind}"
            for labels, value in found.items():
                if metric.kind == "histogram":
                    yield from _buckets(metric, value)
                else:
                    yield f"{metric.name}{_labelled(metric.labels, labels)} {_number(value)}"


def _buckets(metric: Metric, cells: Sequence[int]) -> Iterator[str]:
    ends = [*(_number(float(bound)) for bound in metric.bounds), "+Inf"]
    counts = cumulative(cells)
    for end, count in zip(ends, counts, strict=True):
        yield f'{metric.name}_bucket{{le="{end}"}} {count}'
    yield f"{metric.name}_sum {cells[-1]}"
    yield f"{metric.name}_count {counts[-1]}"


def _labelled(names: Labels, values: Labels) -> str:
    if not names:
        return ""
    pairs = zip(names, values, strict=True)
    return "{" + ",".join(f'{name}="{value.translate(_ESCAPES)}"' for name, value in pairs) + "}"


def _number(value: float) -> str:
    if isinstance(value, int):
        return str(int(value))
    value = float(value)
    if math.isfinite(value):
        return repr(value)
    return "NaN" if math.isnan(value) else f"{'+' if value > 0 else '-'}Inf"

"""What the exporter writes is Prometheus' format to the letter, whatever strategies are called.

Four readers take it: a strict one of our own, prometheus-client's two, and Prometheus itself where
it is installed.
"""

import json
import math
import random
import shutil
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import exposition
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from moves import House
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as generate_open
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_families
from prometheus_client.parser import text_string_to_metric_families as families

from hft.metrics.catalogue import CATALOGUE
from hft.metrics.exporter import Collected, serving
from hft.metrics.readings import Readings

LABELS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
PRONE = st.text('\\"\n\r\t {},=#\x00\x0b\x0c\x1c\x85\u2028ne', max_size=12)
NUMBERS = st.one_of(st.integers(-(2**63), 2**63), st.floats())
# What a name says of its unit.
ENDS = {"_ns": "ns", "_us": "us", "_seconds": "seconds", "_bytes": "bytes", "_ratio": "ratio"}


@dataclass
class Given:
    """Figures, and beside them what was put that is no histogram's."""

    readings: Readings = field(default_factory=Readings)
    values: dict[exposition.Key, float] = field(default_factory=dict)

    def put(self, name: str, value: float, labels: Sequence[str]) -> None:
        self.readings.put(name, value, *labels)
        pairs = zip(CATALOGUE[name].labels, labels, strict=True)
        self.values[name, tuple(pairs)] = float(value)


@st.composite
def figures(draw: st.DrawFn) -> Given:
    """Any metrics with any labels and any values that they may have."""
    found = Given()
    for name in draw(st.lists(st.sampled_from(list(CATALOGUE)), min_size=1, unique=True)):
        metric = CATALOGUE[name]
        if metric.kind == "histogram":
            cells = draw(st.lists(st.integers(0, 1 << 40), min_size=1, max_size=3))
            wanted = len(metric.bounds) + 2
            found.readings.put_histogram(name, (cells * wanted)[:wanted])
            continue
        for _ in range(draw(st.integers(1, 3))):
            labels = [draw(LABELS | PRONE) for _ in metric.labels]
            of = st.integers(0, 2**63) if metric.kind == "counter" else NUMBERS
            found.put(name, draw(of), labels)
    return found


def same(left: dict[exposition.Key, float], right: dict[exposition.Key, float]) -> bool:
    def plain(given: dict[exposition.Key, float]) -> dict[exposition.Key, str]:
        return {key: repr(value) for key, value in given.items()}

    return plain(left) == plain(right)


def of_client(found: Any) -> dict[exposition.Key, float]:
    """What prometheus-client read, but for histograms."""
    return {
        (one.name, tuple(one.labels.items())): float(one.value)
        for family in found
        if family.type != "histogram"
        for one in family.samples
    }


@settings(max_examples=300, deadline=None)
@given(figures())
def test_every_reader_reads_what_was_put(found: Given) -> None:
    text, wanted = found.readings.text(), found.values
    strict = exposition.read(text)
    assert set(strict) == found.readings.names()
    flat = [one for one in strict.values() if one.kind != "histogram"]
    assert same({key: value for one in flat for key, value in one.samples.items()}, wanted)
    assert same(of_client(families(text)), wanted)
    registry = CollectorRegistry()
    registry.register(Collected(lambda: text))
    served = exposition.read(generate_latest(registry).decode())
    assert {one.name: (one.kind, one.says) for one in served.values()} == {
        one.name: (one.kind, one.says) for one in strict.values()
    }
    again = [one.samples for one in served.values() if one.kind != "histogram"]
    assert same({key: value for one in again for key, value in one.items()}, wanted)
    assert same(of_client(open_families(generate_open(registry).decode())), wanted)


def test_kind_unit_and_meaning_are_those_of_the_catalogue(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    house = House(tmp_path)
    house.fill("a", 1)
    found = exposition.read(house.read().text())
    assert len(found) > 30
    for name, one in found.items():
        metric = CATALOGUE[name]
        assert (one.kind, one.says) == (metric.kind, f"{metric.meaning} ({metric.unit})")
    for name, metric in CATALOGUE.items():
        assert name.endswith("_total") == (metric.kind == "counter"), name
        for end, unit in ENDS.items():
            if name.endswith(end):
                assert metric.unit == unit, name


GOOD = "# HELP a A.\n# TYPE a histogram\n"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("# HELP a A.\n# TYPE a gauge\na 1", "does not end"),
        ("a 1\n", "outside"),
        ("# HELP a A.\n# TYPE a gauge\n", "without type or samples"),
        ("# TYPE a gauge\na 1\n", "does not follow"),
        ("# HELP a A.\n# TYPE a gauge\na 1\na 2\n", "twice"),
        ("# HELP a A.\n# TYPE a gauge\na 1\n# HELP a A.\n", "begins twice"),
        ("# HELP a A.\n# TYPE a gauge\na inf\n", "neither"),
        ("# HELP a A.\n# TYPE a gauge\na{b='c'} 1\n", "neither"),
        ('# HELP a A.\n# TYPE a gauge\na{b="\\c"} 1\n', "neither"),
        ('# HELP a A.\n# TYPE a gauge\na{b="c",} 1\n', "neither"),
        ('# HELP a A.\n# TYPE a gauge\na{b="c",b="d"} 1\n', "label twice"),
        ("# HELP a A.\n# TYPE a counter\na -1\n", "below 0"),
        ("# HELP a \\A.\n", "neither"),
        (GOOD + 'a_bucket{le="1"} 1\na_sum 1\na_count 1\n', "buckets"),
        (GOOD + 'a_bucket{le="1"} 2\na_bucket{le="+Inf"} 1\na_sum 1\na_count 1\n', "in buckets"),
        (GOOD + 'a_bucket{le="+Inf"} 1\na_sum 1\na_count 2\n', "in all"),
        (GOOD + 'a_bucket{le="+Inf"} 1\na_count 1\n', "no sum"),
    ],
)
def test_the_strict_reader_is_strict(text: str, why: str) -> None:
    with pytest.raises(exposition.NotSo, match=why):
        exposition.read(text)


def odd(count: int) -> Given:
    """Every metric of the catalogue, with labels that are hard to write."""
    draw, found = random.Random(1), Given()
    signs = '\\"\n\r\t {},=#neäß漢🙂\u2028\x85\x00'
    for name, metric in CATALOGUE.items():
        if metric.kind == "histogram":
            found.readings.put_histogram(name, list(range(len(metric.bounds) + 2)))
            continue
        for k in range(count if metric.labels else 1):
            labels = ["x" + "".join(draw.choices(signs, k=8)) for _ in metric.labels]
            found.put(name, k + 0.5 if metric.kind == "gauge" else k, labels)
    return found


def asked(port: int, path: str, **query: str) -> Any:
    """What Prometheus answers."""
    address = f"http://127.0.0.1:{port}/api/v1/{path}?{urllib.parse.urlencode(query)}"
    with urllib.request.urlopen(address, timeout=5) as answer:
        return json.load(answer)["data"]


@pytest.fixture
def prometheus(tmp_path: Path) -> Iterator[tuple[Given, int]]:
    """Prometheus with a target that serves odd figures, and its port, once it has scraped."""
    tool = shutil.which("prometheus")
    if tool is None:
        pytest.skip("prometheus is not installed; the strict readers read the same text")
    found = odd(20)
    with (
        serving(found.readings.text, 0, "127.0.0.1") as target,
        serving(str, 0, "127.0.0.1") as port,
    ):
        pass  # a port that was free a moment ago
    with serving(found.readings.text, target, "127.0.0.1"):
        file = tmp_path / "prometheus.yaml"
        jobs = f"[{{job_name: hft, static_configs: [{{targets: ['127.0.0.1:{target}']}}]}}]"
        file.write_text(f"global: {{scrape_interval: 1s}}\nscrape_configs: {jobs}\n")
        options = [f"--storage.tsdb.path={tmp_path / 'data'}"]
        options.append(f"--web.listen-address=127.0.0.1:{port}")
        with open(tmp_path / "log", "wb") as log:
            command = [tool, f"--config.file={file}", *options]
            process = subprocess.Popen(command, stdout=log, stderr=log)
            try:
                _until_scraped(port, tmp_path / "log")
                yield found, port
            finally:
                process.terminate()
                process.wait(20)


def _until_scraped(port: int, log: Path) -> None:
    for _ in range(300):
        time.sleep(0.1)
        try:
            (target,) = asked(port, "targets")["activeTargets"]
        except (OSError, ValueError):
            continue
        assert not target["lastError"], target["lastError"]
        if target["health"] == "up":
            return
    raise AssertionError(log.read_text())


def test_prometheus_itself_stores_what_was_put(prometheus: tuple[Given, int]) -> None:
    found, port = prometheus
    told = asked(port, "metadata")
    for name, metric in CATALOGUE.items():
        (one,) = told.get(name) or told[name.removesuffix("_total")]  # as OpenMetrics names it
        assert one["type"] == metric.kind
        assert one["help"] == f"{metric.meaning} ({metric.unit})"
    stored = {}
    for one in asked(port, "query", query='{job="hft"}')["result"]:
        name = one["metric"].pop("__name__")
        if name in CATALOGUE:
            stored[name, tuple((key, one["metric"][key]) for key in CATALOGUE[name].labels)] = (
                float(one["value"][1])
            )
    assert same(stored, found.values)
    for name, metric in CATALOGUE.items():
        if metric.kind == "histogram":
            buckets = asked(port, "query", query=f"{name}_bucket")["result"]
            ends = sorted(float(one["metric"]["le"]) for one in buckets)
            assert ends == [*map(float, metric.bounds), math.inf]

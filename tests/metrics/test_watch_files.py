"""Dashboards and alert rules under config/ ask for what the exporter has, and for all of it.

That holds without Prometheus; where its own tool is installed, it reads them too and plays the
unit tests of the alerts.
"""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import promql
import pytest
import yaml

from hft.core.codes import PolicyMode, Reason, StormGuardState
from hft.metrics.catalogue import CATALOGUE
from hft.recorder.pressure import Level

ROOT = Path(__file__).resolve().parents[2]
PROMETHEUS, GRAFANA = ROOT / "config" / "prometheus", ROOT / "config" / "grafana"
ALERTS, UNIT = PROMETHEUS / "alerts.yaml", PROMETHEUS / "alerts_test.yaml"
BOARDS = {path.stem: json.loads(path.read_text()) for path in sorted(GRAFANA.glob("*.json"))}
RULES = [
    (group["name"], rule)
    for group in yaml.safe_load(ALERTS.read_text())["groups"]
    for rule in group["rules"]
]
COMPONENTS = {"gateway", "venue", "journal", "recorder"}
PANELS = {"stat", "timeseries", "bargauge"}
UNITS = {"short", "locale", "ns", "µs", "s", "bytes", "cps", "percentunit"}
VALUES = {
    "gateway_policy_mode": [one.name.lower() for one in PolicyMode],
    "stormguard_state": [one.name.lower() for one in StormGuardState],
    "disk_pressure_level": [one.name for one in Level],
}
tool = shutil.which("promtool")
with_tool = pytest.mark.skipif(tool is None, reason="promtool is not installed")


def panels(board: dict[str, Any]) -> list[dict[str, Any]]:
    return [one for one in board["panels"] if one["type"] != "row"]


def targets() -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    for name, board in BOARDS.items():
        for panel in panels(board):
            for target in panel["targets"]:
                yield f"{name}: {panel['title']}", panel, target


def expressions() -> list[tuple[str, str]]:
    """Where each stands, and its text with Grafana's own variables filled in."""
    found = [(rule["alert"], rule["expr"]) for _, rule in RULES]
    found += [(place, target["expr"]) for place, _, target in targets()]
    for name, board in BOARDS.items():
        found += [(name, one["expr"]) for one in board["annotations"]["list"]]
    return [(place, text.replace("$__rate_interval", "1m")) for place, text in found]


@pytest.mark.parametrize(
    ("place", "text"), expressions(), ids=[place for place, _ in expressions()]
)
def test_what_is_asked_for_is_there(place: str, text: str) -> None:
    for one in promql.read(text).selectors:
        for label, asked in one.asked.items():
            known = {"component": COMPONENTS, "reason": {reason.name for reason in Reason}}
            assert label not in known or set(asked.split("|")) <= known[label], (label, asked)


def test_every_metric_is_on_a_dashboard() -> None:
    shown = {
        one.metric
        for _, _, target in targets()
        for one in promql.read(target["expr"].replace("$__rate_interval", "1m")).selectors
    }
    assert set(CATALOGUE) - shown == set()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("gateway_speed > 0", "no metric of the catalogue"),
        ("rate(gateway_reject[1m])", "no metric of the catalogue"),
        ("gateway_dispatch_latency_ns > 1", "no metric of the catalogue"),
        ("gateway_reject_total_sum", "no metric of the catalogue"),
        ('gateway_reject_total{cause="x"}', "has no label"),
        ("sum by (strategy) (gateway_fence)", "no metric of it has"),
        ("rate(gateway_fence[1m])", "which is a gauge"),
        ("changes(gateway_reject_total[1m])", "which is a counter"),
        ("gateway_reject_total[1m]", "which is a counter"),
        ("sqrt(gateway_fence)", "no function"),
        ("(gateway_fence", "stays open"),
        ("gateway_fence)", "not open"),
        ('gateway_fence{job > "x"}', "no matcher"),
        ("gateway_fence{job=", "ends in the middle"),
        ("1 > 0", "names no metric"),
        ("gateway_fence ; 1", "cannot be read"),
    ],
)
def test_the_check_finds_what_is_wrong(text: str, why: str) -> None:
    with pytest.raises(promql.Wrong, match=re.escape(why)):
        promql.read(text)


@pytest.mark.parametrize("name", BOARDS)
def test_a_dashboard_can_be_drawn(name: str) -> None:
    board = BOARDS[name]
    assert board["uid"] == f"hft-{name}" and board["tags"] == ["hft"]
    variables = {one["name"] for one in board["templating"]["list"]}
    used = set(re.findall(r"\$\{?(\w+)", json.dumps(board))) - {"__rate_interval"}
    assert used == variables
    for one in board["templating"]["list"][1:]:
        promql.read(re.sub(r", (job|instance)\)$", ")", one["query"]["query"]))
    ids = [one["id"] for one in board["panels"]]
    assert len(set(ids)) == len(ids)
    places = [tuple(one["gridPos"][side] for side in "xywh") for one in board["panels"]]
    assert all(x >= 0 and w > 0 and h > 0 and x + w <= 24 for x, _, w, h in places)
    for (x, y, w, h), (u, v, p, q) in combinations(places, 2):
        assert x + w <= u or u + p <= x or y + h <= v or v + q <= y, "one panel covers another"
    for panel in panels(board):
        assert panel["type"] in PANELS and panel["fieldConfig"]["defaults"]["unit"] in UNITS
        refs = [target["refId"] for target in panel["targets"]]
        assert refs and len(set(refs)) == len(refs)


@pytest.mark.parametrize(
    ("place", "panel", "target"), list(targets()), ids=[place for place, _, _ in targets()]
)
def test_a_panel_says_what_it_shows(
    place: str, panel: dict[str, Any], target: dict[str, Any]
) -> None:
    found = promql.read(target["expr"].replace("$__rate_interval", "1m"))
    named = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
    assert target["legendFormat"] and named <= found.kept
    assert {one.asked.get("job") for one in found.selectors} == {"$job"}
    assert {one.asked.get("instance") for one in found.selectors} == {"$instance"}
    (mapping,) = panel["fieldConfig"]["defaults"].get("mappings") or [{"options": {}}]
    words = [one["text"] for one in mapping["options"].values()]
    assert not words or list(mapping["options"]) == [str(k) for k in range(len(words))]
    for one in found.selectors:
        if words and one.metric in VALUES:
            assert words == VALUES[one.metric]


def test_each_alert_says_how_grave_it_is_and_what_to_do() -> None:
    names = [rule["alert"] for _, rule in RULES]
    assert len(set(names)) == len(names) > 20
    for _, rule in RULES:
        assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}, rule["alert"]
        assert rule["labels"].keys() == {"severity"}
        assert rule["labels"]["severity"] in ("critical", "warning", "info")
        assert rule["annotations"].keys() == {"summary", "action"}
        kept = promql.read(rule["expr"]).kept | promql.TARGET
        assert set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"])) <= kept
    page = (ROOT / "docs" / "metrics.md").read_text()
    assert re.findall(r"^\| `(Hft\w+)`", page, re.MULTILINE) == names, "docs/metrics.md"


def test_each_alert_has_a_test_in_which_it_is_silent_and_one_in_which_it_fires() -> None:
    cases = yaml.safe_load(UNIT.read_text())["tests"]
    tried = [
        (one["alertname"], bool(one["exp_alerts"]))
        for case in cases
        for one in case["alert_rule_test"]
    ]
    for _, rule in RULES:
        assert {fires for name, fires in tried if name == rule["alert"]} == {True, False}
    assert {name for name, _ in tried} == {rule["alert"] for _, rule in RULES}
    series = {row["series"] for case in cases for row in case["input_series"]}
    for one in series:
        promql.read(one)


@with_tool
def test_prometheus_own_tool_takes_the_settings_and_plays_the_alerts() -> None:
    for command in (["check", "config", "prometheus.yaml"], ["test", "rules", "alerts_test.yaml"]):
        done = subprocess.run(
            ["promtool", *command], cwd=PROMETHEUS, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr


@with_tool
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("== 0\n        for: 15s", "== 0\n        for: 30s"),
        ("disk_pressure_level == 3", "disk_pressure_level == 4"),
        ("gateway_leader == 0", "gateway_leader == 2"),
        ("> 0) > 0.5", "> 0) > 0.9"),
        ("wal_quarantined_files > 0", "wal_quarantined_files >= 0"),
    ],
)
def test_an_alert_that_is_wrong_fails_its_test(before: str, after: str, tmp_path: Path) -> None:
    text = ALERTS.read_text()
    assert text.count(before) == 1
    (tmp_path / ALERTS.name).write_text(text.replace(before, after))
    shutil.copy(UNIT, tmp_path)
    command = ["promtool", "test", "rules", UNIT.name]
    assert subprocess.run(command, cwd=tmp_path, capture_output=True).returncode == 1


@with_tool
def test_prometheus_own_tool_takes_each_expression_of_a_panel(tmp_path: Path) -> None:
    rules = [{"record": f"x:{k}", "expr": text} for k, (_, text) in enumerate(expressions())]
    file = tmp_path / "panels.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    done = subprocess.run(["promtool", "check", "rules", file], capture_output=True, text=True)
    assert done.returncode == 0 and f"{len(rules)} rules found" in done.stdout, done.stderr

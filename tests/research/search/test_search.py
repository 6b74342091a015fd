"""A search: what it tries, that it counts all of it, and that nothing but the seed decides."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hft.core.errors import ConfigError, HftError, JournalError
from hft.research.expressions.expression import parse
from hft.research.expressions.nodes import Field, walk
from hft.research.expressions.parse import DEPTH_MAX, ExpressionError
from hft.research.search import workers
from hft.research.search.candidates import Drawn, from_template, next_generation, read_grid, stream
from hft.research.search.identity import functions
from hft.research.search.market import Market
from hft.research.search.run import Plan, State, ranking, run
from tests.research.search.markets import market

FIELDS = ("a", "b", "vol")
SMALL = Plan(trials=60)


def outcome(state: State) -> list[Any]:
    """Everything a search decides."""
    ranked = [(one.expression.canonical, one.figures) for one in ranking(state)]
    return [ranked, state.counts, state.drawn, state.same, list(state.found)]


class Recorder(list):
    """A ledger of three columns."""

    def __call__(self, items: Any) -> None:
        self.extend((one.canonical, counts_as, net) for one, counts_as, net in items)


def test_random_expressions_are_of_the_language_and_repeatable() -> None:
    drawn = [Drawn(FIELDS, stream(42, 0)) for _ in range(2)]
    texts = [[one.random().canonical for _ in range(300)] for one in drawn]
    assert texts[0] == texts[1]
    assert texts[0] != [Drawn(FIELDS, stream(43, 0)).random().canonical for _ in range(300)]
    for text in set(texts[0]):
        assert parse(text, FIELDS).depth <= DEPTH_MAX
        assert parse(text).fields


def test_mutants_stay_within_the_language() -> None:
    drawn = Drawn(FIELDS, stream(1, 1))
    parent = parse("ts_corr(ts_delta(a, 5), vol, 20)")
    children = [drawn.mutated(parent) for _ in range(300)]
    assert len({child.canonical for child in children}) > 50
    for child in children:
        assert parse(child.canonical, FIELDS) == child != parent
        assert any(isinstance(part, Field) for part in walk(child.node))


def test_a_generation_keeps_the_best_and_is_otherwise_new() -> None:
    best = [parse(f"ts_mean(a, {w})") for w in range(2, 22)]
    found = next_generation(best, 10, FIELDS, stream(42, 3))
    assert found[:3] == best[:3] and len(found) == 10
    assert not set(found[3:]) & set(best[3:])


def test_a_template_is_the_product_of_its_sorted_keys() -> None:
    grid = read_grid("w=5,10; x=a,b ;lag=1")
    found = from_template("ts_delta({x}, {lag}) - ts_mean({x}, {w})", grid, FIELDS)
    assert [one.pretty() for one in found][:2] == [
        "ts_delta(a, 1) - ts_mean(a, 5)",
        "ts_delta(b, 1) - ts_mean(b, 5)",
    ]
    assert len(found) == 4
    assert [one.pretty() for one in from_template("{k} * a", {"k": (0.5, 2)}, FIELDS)] == [
        "0.5 * a",
        "2 * a",
    ]


@pytest.mark.parametrize(
    ("template", "grid", "sentence"),
    [
        ("ts_mean(a, {w})", "", "{w} has no values"),
        ("a", "w=1", "'w' is not in the template"),
        ("a", "w", "is not name=value"),
        ("a", "w=1;w=2", "given twice"),
        ("a", "w=1,,2", "is not name=value"),
    ],
)
def test_a_grid_that_does_not_fit_is_refused(template: str, grid: str, sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence.replace("{", "\\{")):
        from_template(template, read_grid(grid), FIELDS)
    with pytest.raises(ExpressionError, match="unknown field"):
        from_template("ts_mean({x}, 5)", {"x": ("nope",)}, FIELDS)


@pytest.mark.parametrize(
    "options",
    [{"mode": "wild"}, {"mode": "template"}, {"population": 3}, {"trials": 0}, {"seed": -1}],
)
def test_a_plan_that_makes_no_sense_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        Plan(**options)


def test_functions_are_told_apart_whatever_they_are_called() -> None:
    same = [
        ("a - b", "-1 * (b - a)"),
        ("a", "2 * a + 7"),
        ("ts_sum(a, 5) / 3", "ts_sum(a, 5)"),
        ("a - ts_mean(a, 20)", "ts_mean(a, 20) - a"),
        ("zscore(a)", "-zscore(a)"),
    ]
    for left, right in same:
        first, second = functions([parse(left), parse(right)], FIELDS)
        assert first == second is not None, (left, right)
    texts = ["a", "b", "vol", "abs(a)", "sign(a)", "rank(a)", "ts_mean(a, 50)", "ts_mean(a, 51)"]
    texts += ["decay_linear(a, 50)", "a * b", "a / b", "log1p(a)", "ts_std(a, 3)", "ts_sum(a, 300)"]
    keys = functions([parse(text) for text in texts], FIELDS)
    assert len(set(keys)) == len(texts) and None not in keys
    assert functions([parse("a * 0"), parse("3"), parse("ts_mean(a, 5000)")], FIELDS) == [None] * 3


def test_the_same_function_is_not_run_twice(tmp_path: Path) -> None:
    place, recorder = market(), Recorder()
    plan = Plan("template", template="{s} * ts_delta(a, {w})", grid="w=3,5;s=1,2,-3")
    state = run(plan, place, tmp_path, record=recorder)
    assert len(recorder) == len(state.found) == 2
    assert state.counts["function"] == 4


def test_the_same_positions_are_one_trial(tmp_path: Path) -> None:
    place, recorder = market(), Recorder()
    plan = Plan("template", template="ts_delta({x}(vol), 3)", grid="x=abs,-,+")
    state = run(plan, place, tmp_path, record=recorder)
    # vol is positive: |vol| is another function, and yet the same on these rows.
    assert state.counts == {"canonical": 0, "function": 1, "behaviour": 1}
    assert len({counts_as for _, counts_as, _ in recorder}) == len(ranking(state)) == 1


def test_every_candidate_is_recorded_failures_included(tmp_path: Path) -> None:
    recorder = Recorder()
    state = run(SMALL, market(), tmp_path, record=recorder)
    assert [text for text, _, _ in recorder] == list(state.found)
    failures = [text for text, one in state.found.items() if one.figures["score"] is None]
    recorded = {text: net for text, _, net in recorder}
    assert all(recorded[text] == () for text in failures)
    assert all(len(net) in (0, 40) for net in recorded.values())


@pytest.mark.parametrize("mode", ["random", "genetic"])
def test_two_workers_find_what_one_finds(mode: str, tmp_path: Path) -> None:
    plan = Plan(mode, trials=60, population=12, generations=3)
    alone, ours = Recorder(), Recorder()
    one = run(plan, market(), tmp_path / "one", record=alone)
    two = run(plan, market(), tmp_path / "two", record=ours, workers=2)
    assert outcome(one) == outcome(two)
    assert alone == ours
    assert not (tmp_path / "two" / "columns").exists()


class Killed(Exception):
    """Ends a search between two steps."""


@pytest.mark.parametrize("mode", ["random", "genetic"])
@pytest.mark.parametrize("when", [1, 2, 3])
def test_a_killed_search_goes_on_and_ranks_the_same(mode: str, when: int, tmp_path: Path) -> None:
    plan = Plan(mode, trials=60, population=20, generations=4)
    whole = run(plan, market(), tmp_path / "whole")
    calls, before, after = 0, Recorder(), Recorder()

    def record(items: Any) -> None:
        nonlocal calls
        calls += 1
        before(items)
        if calls == when:  # recorded, not yet in the journal
            raise Killed

    with pytest.raises(Killed):
        run(plan, market(), tmp_path / "cut", record=record)
    journal = tmp_path / "cut" / "progress.jsonl"
    journal.write_bytes(journal.read_bytes() + b'{"chunk":"0-ab')  # a line torn by the kill
    resumed = run(plan, market(), tmp_path / "cut", record=after)
    assert outcome(resumed) == outcome(whole)
    assert len(after) < len(whole.found) or when == 1
    assert {text for text, _, _ in [*before, *after]} == set(whole.found)


KILLED_AT_ONCE = """
import os, signal, sys
from pathlib import Path
from hft.research.search.run import Plan, run
from tests.research.search.markets import market
calls = []
def record(items):
    calls.append(items)
    if len(calls) == 3:
        os.kill(os.getpid(), signal.SIGKILL)
run(Plan(trials=60), market(), Path(sys.argv[1]), record=record)
"""


def test_a_process_killed_by_the_system_loses_nothing_it_finished(tmp_path: Path) -> None:
    command = [sys.executable, "-c", KILLED_AT_ONCE, str(tmp_path / "cut")]
    root = Path(__file__).resolve().parents[3]
    ended = subprocess.run(command, cwd=root, env=os.environ | {"PYTHONPATH": str(root)})
    assert ended.returncode == -signal.SIGKILL
    rest = Recorder()
    resumed = run(SMALL, market(), tmp_path / "cut", record=rest)
    assert 0 < len(rest) < len(resumed.found)
    assert outcome(resumed) == outcome(run(SMALL, market(), tmp_path / "whole"))


def test_a_finished_search_runs_nothing_again(tmp_path: Path) -> None:
    first, again = Recorder(), Recorder()
    one = run(SMALL, market(), tmp_path, record=first)
    two = run(SMALL, market(), tmp_path, record=again)
    assert outcome(one) == outcome(two) and first and not again


def test_the_folder_of_another_search_is_refused(tmp_path: Path) -> None:
    run(SMALL, market(), tmp_path)
    with pytest.raises(JournalError, match="another search"):
        run(SMALL, market(seed=6), tmp_path)
    (tmp_path / "progress.jsonl").write_text("{}\n")
    with pytest.raises(JournalError, match="line 1 cannot be read"):
        run(SMALL, market(), tmp_path)


def test_progress_is_told_and_reaches_the_end(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    run(SMALL, market(), tmp_path, progress=lambda done, total: told.append((done, total)))
    assert told[-1][0] == told[-1][1] and [one for one, _ in told] == sorted(o for o, _ in told)


def test_genetic_search_improves_on_its_first_generation(tmp_path: Path) -> None:
    place = market(sessions=60, edge=0.15)
    plan = Plan("genetic", population=20, generations=5)
    one = run(Plan("genetic", population=20, generations=1), place, tmp_path / "one")
    five = run(plan, place, tmp_path / "five")
    first, last = (ranking(state)[0].figures["score"] for state in (one, five))
    assert last >= first
    assert len(five.found) > len(one.found)


def test_a_search_of_noise_loses_its_fees(tmp_path: Path) -> None:
    place = market(sessions=500, rows=12, cost=2e-5, seed=9)
    state = run(Plan(trials=200), place, tmp_path)
    scores = [one.figures["score"] for one in ranking(state) if one.figures["score"] is not None]
    assert np.median(scores) < 0.0  # fees and no edge


def test_a_market_survives_the_way_to_another_process(tmp_path: Path) -> None:
    place = market(pool=np.ones((2, 1200)))
    place.save(tmp_path / "columns")
    again = Market.load(tmp_path / "columns")
    assert again.hash == place.hash and again.fields == place.fields
    assert json.loads((tmp_path / "columns" / "market.json").read_text())["proxy"] is False


@pytest.mark.slow
def test_a_real_dask_cluster_finds_the_same(tmp_path: Path) -> None:
    pytest.importorskip("dask.distributed")
    alone, ours = Recorder(), Recorder()
    one = run(SMALL, market(), tmp_path / "one", record=alone)
    two = run(SMALL, market(), tmp_path / "two", record=ours, workers=2, executor="dask")
    assert outcome(one) == outcome(two) and alone == ours


def test_an_error_of_a_worker_names_the_machine_and_process(tmp_path: Path) -> None:
    with pytest.raises(HftError, match=rf"^worker .*process {os.getpid()}: .*nowhere") as missing:
        workers._chunk(str(tmp_path / "nowhere"), "", ["a"], 0.3, 64)
    assert not isinstance(missing.value, ConfigError)
    market().save(tmp_path / "columns")
    with pytest.raises(HftError, match=r"^worker .*process \d+: ") as wrong:
        workers._chunk(str(tmp_path / "columns"), "", ["nobody"], 0.3, 64)
    assert "nobody" in str(wrong.value)


@pytest.mark.slow
def test_an_error_of_a_dask_worker_names_its_address(tmp_path: Path) -> None:
    """As where the workers of a cluster do not share the disk that the market lies on."""
    distributed = pytest.importorskip("dask.distributed")
    here = {"n_workers": 1, "threads_per_worker": 1, "dashboard_address": None}
    gone = str(tmp_path / "on another disk")
    with distributed.LocalCluster(**here) as cluster, distributed.Client(cluster) as client:
        (address,) = client.scheduler_info()["workers"]
        with pytest.raises(HftError, match=re.escape(f"worker {address} (")) as told:
            client.submit(workers._chunk, gone, "", ["a"], 0.3, 64).result()
    assert "on another disk" in str(told.value)

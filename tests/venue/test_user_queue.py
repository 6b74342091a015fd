"""A queue model that a user adds does what its own text says, and is part of what a run is."""

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from naive.queue import NaiveUserQueue
from small_world import LEVEL, TRADE, Played, opening, play, session_of
from user_models import broken, by_logarithm, cautious, hopeful

import hft
from hft.core.dtypes import RESTING
from hft.core.errors import ConfigError, StrategyError
from hft.core.jit import kernel
from hft.replay.snapshot import freeze, thaw
from hft.runs.code.sources import find_queue
from hft.strategies.base import Strategy
from hft.venue import queue
from hft.venue.model import VenueModel
from hft.venue.state import HEAD

MODELS = Path(__file__).with_name("user_models.py")
TWINS = [("risk_averse", cautious), ("prob_log", by_logarithm)]


def day(model: Any, seed: int = 3) -> Played:
    """A quoting strategy on a level market of 400 rows: joins, cancels, trades, fills."""
    chance = random.Random(seed)
    rows = opening(10, {99: 40, 98: 30}, {101: 40, 102: 30})
    shown = {99: 40, 98: 30, 101: 40, 102: 30}
    for k in range(400):
        price = chance.choice(list(shown))
        if chance.random() < 0.25:
            lots = chance.randint(1, max(1, shown[price]))
            rows.append((20 + 3 * k, TRADE, 0 if price > 100 else 1, price, lots))
            shown[price] = max(1, shown[price] - lots)
        else:
            shown[price] = chance.randint(5, 60)
        rows.append((21 + 3 * k, LEVEL, 0 if price < 100 else 1, price, shown[price]))

    def body(view: Any, order: Any, p: Any, s: Any) -> None:
        order.quote(hft.BUY, 99, 3)
        order.quote(hft.SELL, 101, 3)

    return play(rows, body, every_ns=25, venue=VenueModel(queue=model))


@pytest.mark.nojit
@pytest.mark.parametrize(("name", "own"), TWINS)
def test_a_users_copy_of_a_built_in_model_gives_its_very_digest(name: str, own: Any) -> None:
    built_in, copy = day(name), day(own)
    assert len(built_in.venue_fills()) > 10
    assert copy.venue_fills() == built_in.venue_fills()
    assert copy.digest == built_in.digest


@pytest.mark.nojit
def test_another_model_is_another_day() -> None:
    assert len({day(model).digest for model in ("risk_averse", by_logarithm, hopeful)}) == 3


@kernel
def _play(resting: np.ndarray, heads: np.ndarray, moves: np.ndarray, out: np.ndarray) -> None:
    row = resting[0]
    queue.joins(row, 10)
    for i in range(len(moves)):
        if moves[i, 0] == 0:
            queue.trades(row, moves[i, 1])
        else:
            queue.asks(row, heads[0], moves[i, 1], moves[i, 2])
        out[i] = row["ahead_micro"]


@pytest.mark.nojit
@pytest.mark.parametrize("own", [cautious, by_logarithm, hopeful])
def test_the_kernel_asks_as_its_twin_does(own: Any) -> None:
    chance = random.Random(5)
    heads = np.zeros(1, HEAD)
    heads[0]["queue_at"] = own.address()
    moves = []
    for _ in range(300):
        op, a = chance.randrange(2), chance.randint(0, 20)
        moves.append((op, a, chance.randint(0, 20)))
    out = np.zeros(len(moves), np.int64)
    _play(np.zeros(1, RESTING), heads, np.array(moves, np.int64), out)
    twin = NaiveUserQueue(own.body, 10)
    for (op, a, b), ahead in zip(moves, out.tolist(), strict=True):
        if op == 0:
            twin.trades(a)
        else:
            twin.changes(a, b)
        assert ahead == twin.ahead_micro
    assert heads[0]["asking"] == 0


def test_no_model_puts_more_ahead_of_us_than_the_level_shows() -> None:
    @hft.queue_model
    def absurd(ahead_micro, before, after, traded):  # type: ignore[no-untyped-def]
        return 1 << 62

    heads, out = np.zeros(1, HEAD), np.zeros(1, np.int64)
    heads[0]["queue_at"] = absurd.address()
    _play(np.zeros(1, RESTING), heads, np.array([(1, 9, 4)], np.int64), out)
    assert out.tolist() == [4_000_000]


def test_what_a_model_raises_names_the_model_and_not_the_strategy() -> None:
    with pytest.raises(StrategyError, match="the queue model raised ValueError: no such level"):
        day(broken)


def test_a_snapshot_holds_no_address_and_a_thawed_session_keeps_its_own() -> None:
    def session() -> Any:
        idle = Strategy(lambda *a: None, "idle", 5, 1, {}, {})
        rows = opening(10, {99: 9}, {101: 8})
        return session_of([rows], [idle], venue=VenueModel(queue=cautious))

    first, second = session(), session()
    saved = freeze(first)
    assert saved["venue.head"]["queue_at"].tolist() == [0]
    saved["venue.head"]["fill_id"] = 7
    thaw(second, saved)
    head = second.engine.venue.head[0]
    assert (head["queue_at"], head["fill_id"]) == (cautious.address(), 7)


def refused(body: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        hft.Venue(queue=hft.queue_model(body)).model().queue.address()  # type: ignore[union-attr]
    return str(caught.value)


def helper(x: int) -> int:
    return x


def test_a_model_that_cannot_be_one_is_refused_with_the_fix() -> None:
    assert "ahead_micro, before, after, traded" in refused(lambda a, b: a)

    def hidden(ahead_micro, before, after, traded):  # type: ignore[no-untyped-def]
        return helper(ahead_micro)

    assert "'helper', which its source does not show" in refused(hidden)

    def fraction(ahead_micro, before, after, traded):  # type: ignore[no-untyped-def]
        return ahead_micro * 0.5

    assert "not whole millionths of a lot" in refused(fraction)

    def unknown(ahead_micro, before, after, traded):  # type: ignore[no-untyped-def]
        return ahead_micro.nonsense

    assert "cannot be compiled" in refused(unknown)
    with pytest.raises(ConfigError, match=r"nor made by @hft\.queue_model"):
        hft.Venue(queue="prob_lag")


def test_a_model_may_not_take_chance_or_another_module_which_its_text_does_not_show() -> None:
    def lucky(ahead_micro, before, after, traded):  # type: ignore[no-untyped-def]
        return int(ahead_micro * random.random())

    def numbered(ahead_micro, before, after, traded):  # type: ignore[no-untyped-def]
        return int(ahead_micro * np.random.random())

    def elsewhere(ahead_micro, before, after, traded):  # type: ignore[no-untyped-def]
        return ahead_micro - queue.MILLION

    for body, name in ((lucky, "random"), (numbered, "np"), (elsewhere, "queue")):
        assert f"uses {name!r}, which its source does not show" in refused(body)


def test_a_file_gives_its_models_by_name() -> None:
    found = find_queue(f"{MODELS}:hopeful")
    assert not isinstance(found, str) and found.name == "hopeful"
    assert find_queue("prob_log") == "prob_log"
    with pytest.raises(ConfigError, match=r"name one of its queue models.*by_logarithm"):
        find_queue(str(MODELS))
    with pytest.raises(ConfigError, match="no queue model 'other'; it has broken"):
        find_queue(f"{MODELS}:other")


@pytest.fixture(scope="module")
def tapes() -> Any:
    return hft.tapes("synthetic", seed=2)


def quoting(tapes: Any, model: Any, out: Path, **given: Any) -> Any:
    venue = hft.Venue(latency="1ms", queue=model)
    return hft.replay(tapes, "market_making", venue=venue, limits="off", out=out, **given)


def test_the_text_of_a_model_is_part_of_the_run_and_verify_runs_it(
    tmp_path: Path, tapes: Any
) -> None:
    run = quoting(tapes, hopeful, tmp_path)
    entry = run.manifest["config"]["venue"]["queue"]
    assert entry["name"] == "hopeful" and "Every cancel was ahead of us" in entry["source"]
    assert entry["closure"] == {"MICRO": "1000000"} and entry["file"] == str(MODELS)
    assert run.verify()
    assert run.digest != quoting(tapes, cautious, tmp_path).digest


def test_a_model_whose_file_is_gone_runs_from_its_stored_text(tmp_path: Path, tapes: Any) -> None:
    file = tmp_path / "mine.py"
    file.write_text(MODELS.read_text(encoding="utf-8"), encoding="utf-8")
    run = quoting(tapes, find_queue(f"{file}:by_logarithm"), tmp_path / "runs")
    file.unlink()
    assert run.verify()
    assert run.digest == quoting(tapes, "prob_log", tmp_path / "runs").digest


def test_where_a_model_lies_is_no_part_of_the_key_and_a_changed_constant_is(
    tmp_path: Path, tapes: Any
) -> None:
    text = MODELS.read_text(encoding="utf-8")
    keys = []
    for name, source in (("a", text), ("b", text), ("c", text.replace("1_000_000", "999_999"))):
        file = tmp_path / f"{name}.py"
        file.write_text(source, encoding="utf-8")
        run = quoting(tapes, find_queue(f"{file}:hopeful"), tmp_path / "runs", record="digest")
        keys.append(run.manifest["key"])
    assert keys[0] == keys[1] != keys[2]


@pytest.mark.data
@pytest.mark.slow
def test_a_users_copy_is_the_built_in_model_on_a_recorded_day(
    tmp_path: Path, shared_data: Path
) -> None:
    file = shared_data / "binance_raw_btc_20240808" / "usdm_btcusdt_20240808.gz"
    if not file.is_file():
        pytest.skip(f"no {file.name} in {shared_data}")
    tapes = hft.ingest([file], tmp_path / "tapes", clock_fix=True)
    runs = {}
    for name, own in TWINS:
        for model in (name, own):
            runs[model if isinstance(model, str) else model.name] = quoting(
                tapes, model, tmp_path / "runs", record="digest"
            )
    assert runs["prob_log"].digest == runs["by_logarithm"].digest
    assert runs["risk_averse"].digest == runs["cautious"].digest
    assert runs["prob_log"].digest != runs["risk_averse"].digest
    assert replace(hft.Venue(), queue=cautious) != hft.Venue()

"""One digest: a run is a function of code, configuration, tape and seed, and of nothing else."""

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from determined import VENUE, digest_of, job_of, slow, split

import hft
from hft.core.codes import EventKind
from hft.core.errors import ConfigError
from hft.core.instruments import Instrument
from hft.feeds.base import DecodeOptions
from hft.gateway.limits import Limits
from hft.replay.run import drive, run_digest
from hft.replay.snapshot import freeze, thaw
from hft.runs import prepare as preparing
from hft.runs.ingest import synthetic, write_feeds
from hft.runs.prepare import prepare
from hft.storage.arrays import pack, unpack
from hft.strategies.base import strategy
from hft.tape.dataset import Tapes
from hft.tape.schema import Columns, Feed

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("kind", ["l2", "l3"])
def test_the_same_job_twice_in_one_process_gives_one_digest(market, kind):
    venue = VENUE if kind == "l2" else replace(VENUE, queue="fifo")
    assert digest_of(job_of(market(kind), venue=venue)) == digest_of(
        job_of(market(kind), venue=venue)
    )


@pytest.mark.slow
def test_other_processes_and_hash_seeds_give_the_same_digest(market, tmp_path):
    path = market("l2").tapes[0].path.parent
    here = hft.replay(hft.tapes(path), "market_making", venue="binance_usdm", out=tmp_path)
    script = (
        "import sys, hft; tapes = hft.tapes(sys.argv[1]);"
        "run = hft.replay(tapes, 'market_making', venue='binance_usdm', out=sys.argv[2]);"
        "print(run.digest, 'pandas' in sys.modules)"
    )
    for k, seed in enumerate(("0", "1", "4242")):
        words = [sys.executable, "-c", script, str(path), str(tmp_path / f"other{k}")]
        env = os.environ | {"PYTHONHASHSEED": seed}
        done = subprocess.run(words, env=env, cwd=ROOT, capture_output=True, text=True, check=True)
        # pandas is no part of hft: pyarrow imports it, slowly, where it is asked for an array.
        assert done.stdout.split() == [here.digest, "False"]


@pytest.mark.parametrize("sizes", [(1,), (7, 4093, 1), (64, 0, 65), (59_999, 2)])
def test_the_size_of_batches_does_not_matter(market, monkeypatch, sizes):
    tapes = market("l2")
    if sizes == (1,):  # a batch a row: on the first rows only
        tapes = _head(tapes, 3_000, monkeypatch)
    expected = digest_of(job_of(tapes, slow(every=200_000_000)))
    whole = preparing._rows_until
    monkeypatch.setattr(
        preparing,
        "_rows_until",
        lambda tape, end: [part for one in whole(tape, end) for part in split(one, sizes)],
    )
    assert digest_of(job_of(tapes, slow(every=200_000_000))) == expected


def _head(tapes: Tapes, rows: int, monkeypatch: pytest.MonkeyPatch) -> Tapes:
    """Only the first rows of every tape, as the replay reads them."""
    whole = preparing._rows_until
    monkeypatch.setattr(
        preparing, "_rows_until", lambda tape, end: split(whole(tape, end)[0], [rows])[:1]
    )
    return tapes


def test_a_tape_cut_in_two_files_gives_the_digest_of_the_whole(market, tmp_path):
    whole = market("l2")
    parts = [part for tape in whole for part in split(tape.columns(), [7_001])]
    feeds = [
        Feed(whole[0].instrument, part, [], {"format": "cut", "continues": k > 0})
        for k, part in enumerate(parts)
    ]
    tapes = write_feeds(feeds, tmp_path / "cut", DecodeOptions())
    assert len(tapes) == len(parts) > len(whole)
    backwards = Tapes(list(tapes)[::-1])
    limits = hft.Limits.fit(whole)  # relative limits look at the first tape, which is another one
    expected = digest_of(job_of(whole, limits=limits))
    assert digest_of(job_of(tapes, limits=limits)) == expected
    assert digest_of(job_of(backwards, limits=limits)) == expected


def test_the_order_of_files_given_to_ingest_does_not_matter(tmp_path):
    rows = ["ts,kind,side,price,qty"]
    for k in range(4_000):
        side, level = ("buy", -1) if k % 2 else ("sell", 1)
        price = 100 + level * (1 + k % 5) + (k // 900) % 3
        ts = 1_700_000_000_000_000_000 + k * 10_000_000
        rows.append(f"{ts},level,{side},{price},{1 + k * 7 % 13}")
    files = [tmp_path / "one.csv", tmp_path / "two.csv"]
    files[0].write_text("\n".join(rows[:2_000]) + "\n")
    files[1].write_text("\n".join([rows[0], *rows[2_000:]]) + "\n")
    names = {name: name for name in ("ts", "kind", "side", "price", "qty")}
    made_up = {"symbol": "X", "tick": 1, "lot": 1, "waive": ("locked_long",)}
    tapes = [
        hft.ingest(order, tmp_path / f"set{k}", columns=names, **made_up)
        for k, order in enumerate((files, files[::-1]))
    ]
    assert [one.sha256 for one in tapes[0]] == [one.sha256 for one in tapes[1]]
    opened = [hft.tapes([t.path for t in list(tapes[0])[::step]]) for step in (1, -1)]
    first, second = (digest_of(job_of(one, slow(every=100_000_000))) for one in opened)
    assert first == second


@pytest.mark.parametrize("kind", ["l2", "l3"])
def test_fifty_snapshots_through_bytes_change_nothing(market, kind):
    venue = VENUE if kind == "l2" else replace(VENUE, queue="fifo")
    job = job_of(market(kind), slow(), slow("two_sided", 3_000_000_000), venue=venue)
    straight = prepare(job, "digest")[0]
    drive(straight)
    steps = int(straight.engine.clock[0]["step"])
    at = sorted(np.random.default_rng(3).choice(np.arange(1, steps), 50, replace=False).tolist())
    session = prepare(job, "digest")[0]
    for step in at:
        assert not drive(session, stop_at_step=step)
        assert step <= session.engine.clock[0]["step"] < step + 64
        saved = pack(freeze(session))
        session = prepare(job, "digest")[0]
        thaw(session, unpack(saved, "x"))
    assert drive(session)
    assert run_digest(session.engine) == run_digest(straight.engine)


def test_a_snapshot_taken_while_a_python_strategy_is_served_resumes_to_the_same_digest(market):
    job = job_of(market("l2"))
    expected = digest_of(job)
    first = prepare(job, "digest")[0]
    drive(first, plain=True, stop_at_step=1_000)
    second = prepare(job, "digest")[0]
    thaw(second, unpack(pack(freeze(first)), "x"))
    drive(second)
    assert run_digest(second.engine) == expected


def test_a_snapshot_of_another_job_is_refused(market):
    session = prepare(job_of(market("l2")), "digest")[0]
    saved = freeze(session)
    other = prepare(job_of(market("l2"), slow(), slow("two_sided")), "digest")[0]
    with pytest.raises(ConfigError, match="another job"):
        thaw(other, saved)


def idle_feed(symbol: str, after: Tapes, tick: str = "0.5") -> Feed:
    """A second instrument with another grid that starts earlier and ends later than `after`."""
    first, last = after.span
    times = np.linspace(first - 10**9, last + 10**12, 400).astype(np.int64)
    made = Columns.empty(len(times))
    made.exch_ts[:], made.local_ts[:] = times, times + 1_000
    made.kind[:], made.qty[:] = EventKind.LEVEL, 1 + np.arange(400) % 7
    made.side[:] = np.arange(400) % 2
    made.price[:] = 50 + 10 * made.side - np.arange(400) // 2 % 3
    return Feed(Instrument(symbol, tick, "1", venue="idle"), made, [], {"format": "made"})


@pytest.mark.parametrize("symbol", ["AAA", "ZZZ"])
def test_an_idle_instrument_changes_nothing_wherever_its_name_sorts(market, tmp_path, symbol):
    tapes = market("l2")
    idle = write_feeds([idle_feed(symbol, tapes, "0.0000001")], tmp_path / symbol, DecodeOptions())
    both = hft.tapes([tapes, idle], symbols=[tapes.symbols[0], symbol])
    assert both.symbols == (tapes.symbols[0], symbol)
    assert digest_of(job_of(both)) == digest_of(job_of(tapes))


def test_the_order_of_symbols_says_which_instrument_a_strategy_looks_at(market, tmp_path):
    tapes = market("l2")
    other = write_feeds([idle_feed("AAA", tapes)], tmp_path / "other", DecodeOptions())
    name = tapes.symbols[0]
    files = [tapes, other]
    assert hft.tapes(files).symbols == (name, "AAA"), "the order given is the order"
    assert hft.tapes(files[::-1]).symbols == ("AAA", name)
    assert (tapes + other).symbols == (name, "AAA")
    paths = [tape.path for tape in (*tapes, *other)]
    assert hft.tapes(paths).symbols == (name, "AAA")
    shutil.copytree(tapes[0].path.parent, tmp_path / "other", dirs_exist_ok=True)
    assert hft.tapes(tmp_path / "other").symbols == ("AAA", name), "of a folder, by name"
    assert hft.tapes(str(tmp_path / "other" / "*.tape.arrow")).symbols == ("AAA", name)
    chosen = hft.tapes(files)
    run = hft.replay(chosen, slow(), limits=Limits.off(), out=tmp_path / "runs")
    assert run.names.symbols == [name]
    assert run.verify()
    swapped = hft.replay(
        hft.tapes(files, symbols=["AAA", name]), slow(), limits=Limits.off(), out=tmp_path / "runs"
    )
    assert swapped.names.symbols == ["AAA"] and swapped.digest != run.digest


@strategy(every="2s", params={"half": 2}, state={"turns": 0})
def as_function(view, order, p, s):  # type: ignore[no-untyped-def]
    """Quote around the mid on every other wake-up, cancel in between."""
    s["turns"] += 1
    if not view.book_valid:
        return
    if s["turns"] % 2 == 1:
        order.quote(0, view.bid_tick - p["half"], 1)
        order.quote(1, view.ask_tick + p["half"], 1)
    else:
        order.cancel_all()


@strategy(every="2s", params={"half": 2}, state={"turns": 0})
class as_class:
    """The same as `as_function`, as an object."""

    def __init__(self, half: int) -> None:
        self.half, self.turns = half, 0

    def on_wake(self, view: Any, order: Any) -> None:
        self.turns += 1
        if not view.book_valid:
            return
        if self.turns % 2 == 1:
            order.quote(0, view.bid_tick - self.half, 1)
            order.quote(1, view.ask_tick + self.half, 1)
        else:
            order.cancel_all()


@strategy(every="2s", params={"half": 2}, state={"turns": 0}, loop=True)
def as_loop(sim, p, s):  # type: ignore[no-untyped-def]
    """The same as `as_function`, owning its loop."""
    while sim.next():
        s["turns"] += 1
        if not sim.view.book_valid:
            continue
        if s["turns"] % 2 == 1:
            sim.order.quote(0, sim.view.bid_tick - p["half"], 1)
            sim.order.quote(1, sim.view.ask_tick + p["half"], 1)
        else:
            sim.order.cancel_all()


@pytest.mark.parametrize("form", [as_class, as_loop], ids=["callback", "pull loop"])
def test_a_class_and_a_pull_loop_give_the_digest_of_the_function(market, form):
    job = job_of(market("l2"), as_function)
    named = replace(job, strategies={"same": as_function})
    assert digest_of(replace(job, strategies={"same": form})) == digest_of(named)


def test_plain_python_gives_the_digest_of_compiled_code(market):
    job = job_of(market("l2"), slow(every=9_000_000_000), slow("momentum", 8_000_000_000))
    assert digest_of(replace(job, plain=True)) == digest_of(job)


def test_how_much_is_recorded_does_not_matter(market):
    job = job_of(market("l2"))
    assert len({digest_of(job, record) for record in ("digest", "summary", "full")}) == 1


def test_the_order_of_strategies_is_part_of_the_run(market):
    one, two = slow(), slow("two_sided")
    assert digest_of(job_of(market("l2"), one, two)) == digest_of(job_of(market("l2"), one, two))
    assert digest_of(job_of(market("l2"), one, two)) != digest_of(job_of(market("l2"), two, one))


@pytest.mark.slow
def test_interpreted_kernels_give_the_digest_of_compiled_ones(tmp_path):
    tapes = synthetic(seed=2, out=tmp_path / "small", events=1_500)
    script = (
        "import sys, hft, determined as t;"
        "from hft.core.jit import JIT_DISABLED;"
        "print(JIT_DISABLED, t.digest_of(t.job_of(hft.tapes(sys.argv[1]), t.slow(every=10**10))))"
    )
    here = digest_of(job_of(tapes, slow(every=10**10)))
    env = os.environ | {"NUMBA_DISABLE_JIT": "1", "NUMBA_BOUNDSCHECK": "0"}
    env["PYTHONPATH"] = os.pathsep.join([str(Path(__file__).parent), str(ROOT)])
    words = [sys.executable, "-c", script, str(tapes.tapes[0].path.parent)]
    done = subprocess.run(words, env=env, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", here]

"""The rows of the report: what is measured beside which peer, and the goal it is held against.

One function a group; each takes a `Bench` and yields its rows as they are done. A row that cannot
be measured carries the reason.
"""

import dataclasses
from collections.abc import Iterator
from functools import partial

from benchmarks import sources, work
from benchmarks.bench import Bench, ended_facts
from benchmarks.environments import BENCH, NotMeasured
from benchmarks.measure import (
    Goal,
    Reply,
    Row,
    Series,
    alternate,
    constant,
    parity,
    rates,
    ratios,
    until_decided,
)
from benchmarks.memory import peak_while
from benchmarks.worker import Failed

PARITY_FIGURES = ("orders", "fills", "position_lots")
MONEY_TOLERANCE = 1e-6  # the peer adds floats; ours are integers
QUOTING_GOALS = {100_000_000: Goal(4.0), 10_000_000: Goal(3.5), 1_000_000: Goal(4.5)}
REAL_GOALS = {100_000_000: Goal(5.0), 10_000_000: Goal(5.0), 1_000_000: Goal(8.0)}
LARGE_EVENTS = 50_000_000


def synthetic_quoting(bench: Bench) -> Iterator[Row]:
    """Two-sided quoting on the synthetic events beside hftbacktest."""
    path = str(sources.synthetic())
    limit = _limit(bench, "synthetic", path, False, work.SYNTHETIC_LOT)
    yield limit
    for interval_ns in work.INTERVALS_NS:
        name = f"synthetic-{interval_ns // 1_000_000}ms"
        title = f"synthetic 5M events, decisions every {interval_ns // 1_000_000} ms"
        row = Row(name, title, "M events/s", peer_name="hftbacktest")
        row.goal = QUOTING_GOALS[interval_ns]
        yield _share(_quoting(bench, row, path, False, work.SYNTHETIC_LOT, interval_ns), limit)


def _limit(bench: Bench, market: str, path: str, native: bool, lot: float) -> Row:
    """What no replay of two books can pass, measured in the run that it stands beside."""
    title = "the limit: both books fed from the same rows, nothing else"
    row = Row(f"{market}-limit", title, "M events/s", judged="ours")
    try:
        replies = bench.alone("limit", path=path, native=native, lot=lot)
        row.ours = _millions(rates(replies))
    except Failed as error:
        row.reason = str(error)
    return row


def _share(row: Row, limit: Row) -> Row:
    """Say on the row how much of the limit it reaches."""
    if row.ours is not None and limit.ours is not None:
        row.facts["share of the limit"] = f"{row.ours.median / limit.ours.median:.0%}"
    return row


def real_quoting(bench: Bench) -> Iterator[Row]:
    """The same on a real recording, looped."""
    limit = Row("real-limit", "", "M events/s")
    for interval_ns in work.INTERVALS_NS:
        name = f"real-{interval_ns // 1_000_000}ms"
        title = (
            f"BTCUSDT perpetual of 2024-08-08, {sources.LOOP_COPIES} times in a row, "
            f"decisions every {interval_ns // 1_000_000} ms"
        )
        row = Row(name, title, "M events/s", peer_name="hftbacktest", goal=REAL_GOALS[interval_ns])
        try:
            path = str(bench.looped())
        except (NotMeasured, Failed) as error:
            row.reason = str(error)
            yield row
            continue
        if limit.ours is None:
            limit = _limit(bench, "real", path, True, work.REAL_LOT)
            yield limit
        yield _share(_quoting(bench, row, path, True, work.REAL_LOT, interval_ns), limit)


TAKERS = {"taking": "a crossing IOC order", "mixed": "quotes, and an IOC at every tenth"}


def taking(bench: Bench) -> Iterator[Row]:
    """Strategies that take, beside hftbacktest: what they end with must be equal."""
    for style, words in TAKERS.items():
        for native in (False, True):
            market = "BTCUSDT perpetual" if native else "synthetic 5M events"
            row = Row(f"{style}-{'real' if native else 'synthetic'}", "", "M events/s")
            row.title = f"{market}, every 10 ms {words}"
            row.peer_name = "hftbacktest"
            try:
                path = str(bench.looped() if native else sources.synthetic())
            except (NotMeasured, Failed) as error:
                row.reason = str(error)
                yield row
                continue
            lot = work.REAL_LOT if native else work.SYNTHETIC_LOT
            yield _quoting(bench, row, path, native, lot, 10_000_000, style)


def _quoting(
    bench: Bench,
    row: Row,
    path: str,
    native: bool,
    lot: float,
    interval_ns: int,
    style: str = "quoting",
) -> Row:
    arguments: dict[str, object] = {"path": path, "native": native, "lot": lot}
    arguments |= {"interval_ns": interval_ns}
    if style != "quoting":
        arguments["style"] = style

    def measured() -> Row:
        this = dataclasses.replace(row, facts={})
        mine, theirs = bench.series("quote", this, **arguments)
        ended_facts(this, mine)
        if mine and theirs:
            this.facts["parity"] = parity(mine[0], theirs[0], PARITY_FIGURES)
            for key in ("balance", "fee"):
                gap = mine[0][key] - theirs[0][key]
                scale = max(1.0, abs(theirs[0][key]))
                same = abs(gap) <= MONEY_TOLERANCE * scale
                this.facts[f"{key} against the peer"] = "equal" if same else f"{gap:+.6f}"
        if theirs:
            this.facts["peer ended"] = {key: theirs[0][key] for key in PARITY_FIGURES}
        _fill(this, mine, theirs)
        return this

    done = until_decided(measured)
    if done.ours is not None:
        _compare_with_ordinary(bench, done, arguments)
    return done


def _compare_with_ordinary(bench: Bench, row: Row, arguments: dict[str, object]) -> None:
    """The digest of an ordinary run of the same work, in a process of its own."""
    try:
        with bench.new_ours() as worker:
            digest = worker.ask("ordinary", **arguments)["digest"]
        row.facts["ordinary run"] = "same digest" if digest == row.facts.get("digest") else digest
    except Failed as error:
        row.facts["ordinary run"] = f"not measured: {error}"


def nautilus(bench: Bench) -> Iterator[Row]:
    """Top-of-book quotes beside NautilusTrader: quoting at every tenth, and no orders at all."""
    path = str(sources.quotes())
    cases = (
        (10, work.NAUTILUS_QUOTING, "quoting at every tenth quote", Goal(100.0)),
        (0, work.NAUTILUS_QUOTES, "no orders", None),
    )
    for every, count, title, goal in cases:
        name = f"nautilus-{every}"
        row = Row(name, title, "M quotes/s", peer_name="nautilus", goal=goal)
        arguments = {"path": path, "every": every, "count": count}
        yield until_decided(partial(_every_nth, bench, row, arguments))


def _every_nth(bench: Bench, row: Row, arguments: dict[str, object]) -> Row:
    row = dataclasses.replace(row, facts={})
    mine, theirs = bench.series("quote_every", row, **arguments)
    ended_facts(row, mine)
    if theirs:
        row.facts["peer ended"] = {key: theirs[0][key] for key in ("orders", "fills")}
    _fill(row, mine, theirs)
    return row


def gateway(bench: Bench) -> Iterator[Row]:
    """Nanoseconds an intent takes through the seven steps."""
    cases = (
        ("gateway-10k", "batch mean, 10 000 live keys", 10_000, 80.0),
        ("gateway-1m", "batch mean, 2^20 live keys", 1 << 20, 150.0),
        ("gateway-python", "one intent from Python", None, 1500.0),
    )
    for name, title, keys, bound in cases:
        row = Row(name, title, "ns an intent", goal=Goal(bound, at_least=False), judged="ours")
        yield until_decided(partial(_gateway, bench, row, keys))
    title = "2^20 live keys over 10 000, in turns"
    row = Row("gateway-growth", title, "times", goal=Goal(2.0, at_least=False), judged="ours")
    yield until_decided(partial(_gateway_growth, bench, row))


def _gateway_growth(bench: Bench, row: Row) -> Row:
    """How much dearer an intent is when its key is in no cache."""
    row = dataclasses.replace(row, facts={})

    def ask(live_keys: int) -> Reply:
        return bench.ours().ask("gateway_batch", live_keys=live_keys)

    try:
        few, many = alternate(lambda: ask(10_000), lambda: ask(1 << 20), bench.runs)
        row.ours = Series(tuple(b["ns"] / a["ns"] for a, b in zip(few, many, strict=True)))
    except Failed as error:
        row.reason = str(error)
    return row


def _gateway(bench: Bench, row: Row, live_keys: int | None) -> Row:
    row = dataclasses.replace(row, facts={})
    try:
        if live_keys is None:
            replies = bench.alone("gateway_single")
        else:
            replies = bench.alone("gateway_batch", live_keys=live_keys)
        row.ours = Series(tuple(reply["ns"] for reply in replies))
        for key in ("intents", "approved", "duplicate", "refused"):
            if key in replies[0]:
                row.facts[key] = replies[0][key]
    except Failed as error:
        row.reason = str(error)
    return row


def scale(bench: Bench) -> Iterator[Row]:
    """Memory of long tapes, growth of time with length, and two replays at once."""
    large = Row(
        "memory-50m",
        "peak resident memory beyond the mapped tape, 50M events",
        "MB",
        goal=Goal(400.0, at_least=False),
        judged="ours",
    )
    small = dataclasses.replace(large, name="memory-5m", goal=None, facts={})
    small.title = "the same, 5M events"
    growth = Row(
        "growth",
        "time of 50M events over time of 5M events",
        "times",
        goal=Goal(11.0, at_least=False),
        judged="ours",
    )
    cases = ((small, work.SYNTHETIC_EVENTS), (large, LARGE_EVENTS))
    try:
        times = [_long_tape(bench, row, events) for row, events in cases]
        growth.ours = Series(tuple(b / a for a, b in zip(*times, strict=True)))
    except (Failed, NotMeasured) as error:
        large.reason = growth.reason = small.reason = str(error)
    yield from (small, large, growth)
    yield _spot_snapshot(bench)
    yield _two_at_once(bench)


def _long_tape(bench: Bench, row: Row, events: int) -> list[float]:
    """Fill the row with the peaks of fresh processes; the seconds each replay took."""
    with bench.new_ours() as maker:
        path = maker.ask("make_tape", rows=events)["path"]
    peaks, seconds = [], []
    for _ in range(bench.runs):
        with bench.new_ours() as worker:
            worker.send("quote_tape", path=path, interval_ns=10_000_000)
            peaks.append(peak_while(worker, BENCH / "tapes"))
            seconds.append(worker.receive()["seconds"])
    row.ours = Series(tuple(peak.beyond_tape / 1024 for peak in peaks))
    row.facts["anonymous MB"] = max(peak.anonymous for peak in peaks) // 1024
    row.facts["mapped tape resident MB"] = max(peak.tape for peak in peaks) // 1024
    return seconds


def _spot_snapshot(bench: Bench) -> Row:
    """A replay of the finest grid there is among the recordings, with a snapshot half way."""
    row = Row(
        "memory-spot-snapshot",
        "the same, spot BTC with a snapshot half way",
        "MB",
        goal=Goal(400.0, at_least=False),
        judged="ours",
    )
    interval_ns = 10_000_000
    peaks, replies = [], []
    try:
        files = [str(sources.recorded(path)) for path in sources.SPOT_DAYS]
        with bench.new_ours() as maker:
            made = maker.ask("make_spot_tape", files=files, interval_ns=interval_ns)
        half = {"stop_at_step": made["steps"] // 2, "interval_ns": interval_ns}
        for _ in range(bench.runs):
            with bench.new_ours() as worker:
                worker.send("snapshot_tape", path=made["path"], **half)
                peaks.append(peak_while(worker, BENCH / "tapes"))
                replies.append(worker.receive())
    except (Failed, NotMeasured) as error:
        row.reason = str(error)
        return row
    row.ours = Series(tuple(peak.beyond_tape / 1024 for peak in peaks))
    row.facts["anonymous MB"] = max(peak.anonymous for peak in peaks) // 1024
    row.facts["events, tick"] = f"{replies[0]['events']}, {replies[0]['tick']}"
    row.facts["snapshot bytes"] = replies[0]["snapshot_bytes"]
    row.facts["orders, fills"] = f"{replies[0]['orders']}, {replies[0]['fills']}"
    row.facts["digest"] = constant(replies, "digest")
    return row


def _two_at_once(bench: Bench) -> Row:
    title = "throughput of two replays at once over one"
    row = Row("two-at-once", title, "times", goal=Goal(1.9), judged="ours")
    arguments = {
        "path": str(sources.synthetic()),
        "native": False,
        "lot": work.SYNTHETIC_LOT,
        "interval_ns": 10_000_000,
    }
    gains = []
    try:
        with bench.new_ours() as one, bench.new_ours() as other:
            for worker in (one, other):
                worker.ask("quote", **arguments, at_least_s=0.0)
            for _ in range(bench.runs):
                single = one.ask("quote", **arguments, at_least_s=2.0)["seconds"]
                for worker in (one, other):
                    worker.send("quote", **arguments, at_least_s=2.0)
                both = [worker.receive()["seconds"] for worker in (one, other)]
                gains.append(sum(single / seconds for seconds in both))
        row.ours = Series(tuple(gains))
    except Failed as error:
        row.reason = str(error)
    return row


def _fill(row: Row, mine: list[Reply], theirs: list[Reply]) -> None:
    """Put the rates and their ratios on the row."""
    if mine:
        row.ours = _millions(rates(mine))
    if theirs:
        row.peer = _millions(rates(theirs))
    if mine and theirs:
        row.ratio = ratios(rates(mine), rates(theirs))
    missing = [text for key, text in row.facts.items() if key.endswith("not measured")]
    row.reason = "; ".join(missing)


def _millions(series: Series) -> Series:
    return Series(tuple(value * 1e-6 for value in series.values))

"""The controls that only a session shows: what people ask of it, and what it leaves behind."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl

from hft.api.attest_session import LIMITS, OWNER, RISK, SPEED, House, Left, S
from hft.core.codes import Reason
from hft.services.attest.report import Answer, Control, Seen
from hft.services.paper.board import FILE as BOARD
from hft.services.scoreboard import Reader
from hft.storage.yaml_text import dump_yaml

Make = Callable[[dict[str, Any]], House]
OK = Reason.OK
NARROW = LIMITS | {"max_position_size": 1}
REFUSED = "refused"


def reset(make: Make) -> Iterator[Seen]:
    kill = {"kind": "kill", "cause": "it looks odd"}
    ask = {"kind": "reset"}
    left = make({}).session({1: kill, 2: ask, 3: ask | {"cause": "the feed was read again"}})
    yield Seen("a kill", OK, answered(left, 0))
    yield Seen("a reset without a cause", REFUSED, answered(left, 1))
    killed_ns, reset_ns = left.answers[0]["at_ns"], left.answers[2]["at_ns"]
    between = sent(left, killed_ns, reset_ns) if reset_ns else "no reset"
    yield Seen("new orders until the next one", "0 sent", between)
    yield Seen("a reset with a cause", OK, answered(left, 2))
    yield Seen("new orders after it", OK, OK if sent(left, reset_ns) != "0 sent" else "0 sent")
    rows = [(row["cause"], row["evidence"]["by"]) for row in left.heard("reset")]
    wanted = f"the feed was read again, by {OWNER}"
    yield Seen("its audit row", wanted, "; ".join(f"{why}, by {who}" for why, who in rows))


def signed_limits(make: Make) -> Iterator[Seen]:
    house = make({})
    text = dump_yaml(NARROW)
    asks: dict[float, Any] = {}
    for at_s, who in ((1.0, ""), (2.0, OWNER), (3.0, RISK)):
        asks[at_s - 0.5] = lambda who=who: house.signed("narrow.yaml", text, who)
        asks[at_s] = {"kind": "limits", "file": str(house.root / "narrow.yaml")}
    left = house.session(asks)
    yield Seen("limits that nobody signed", REFUSED, answered(left, 0))
    yield Seen("that somebody without the role signed", REFUSED, answered(left, 1))
    yield Seen("that somebody of risk signed", OK, answered(left, 2))
    at_ns = left.answers[2]["at_ns"]
    yield Seen("a limit of 1 lot before", "0 refused", refused(left, "POSITION_LIMIT", 0, at_ns))
    after = refused(left, "POSITION_LIMIT", at_ns)
    yield Seen("and after", OK, OK if after != "0 refused" else after)
    rows = left.heard("limits")
    changed = [row["old_state"] != row["new_state"] for row in rows]
    found = f"{len(rows)} of {rows[0]['cause']}" if rows and all(changed) else f"{len(rows)}"
    yield Seen("audit rows", f"1 of narrow.yaml signed by {RISK}", found)


def heartbeat(make: Make) -> Iterator[Seen]:
    beats: dict[float, Any] = {k / 2: {"kind": "beat"} for k in range(1, 5)}
    left = make({}).session(beats, dead_man_ns=S)
    yield Seen("a heartbeat each half second", OK, answered(left, 3))
    last_ns = left.answers[3]["at_ns"]
    (killed_ns, cause), *more = [
        (row["evidence"]["tape_ns"], row["cause"]) for row in left.heard("kill")
    ] or [(0, "")]
    between = sent(left, left.answers[1]["at_ns"], last_ns)
    yield Seen("new orders meanwhile", OK, OK if between != "0 sent" else between)
    waited = f"{(killed_ns - last_ns) / S / SPEED:.1f} s" if killed_ns else "never"
    yield Seen("killed after a silence of", "1.0 s", waited)
    yield Seen("its audit row", "no heartbeat for 1 s", "; ".join([cause, *(c for _, c in more)]))
    after = sent(left, killed_ns) if killed_ns else "no kill"
    yield Seen("new orders after it", "0 sent", after)


def stage_latency(make: Make) -> Iterator[Seen]:
    left = make({}).session({})
    left_ns, looks = cells(left.home / BOARD, "dispatch"), cells(left.home / BOARD, "orderbook")
    commands = left.run.decisions.filter(pl.col("reason") == "OK").height
    yield Seen("commands timed until they leave", f"all of {commands}", f"all of {left_ns}")
    yield Seen("looks at the market timed", OK, OK if looks else "none")


def answered(left: Left, k: int) -> Answer:
    """What came of a question."""
    return REFUSED if left.answers[k]["refused"] else OK


def sent(left: Left, from_ns: int, to_ns: int = 1 << 62) -> str:
    """How many new orders were sent in a time of the tape."""
    return f"{_decided(left, 'OK', from_ns, to_ns)} sent"


def refused(left: Left, reason: str, from_ns: int, to_ns: int = 1 << 62) -> str:
    """How many new orders were refused for a reason."""
    return f"{_decided(left, reason, from_ns, to_ns)} refused"


def _decided(left: Left, reason: str, from_ns: int, to_ns: int) -> int:
    at = pl.col("ts").cast(pl.Int64)
    rows = left.run.decisions.filter((pl.col("intent") == "NEW") & (pl.col("reason") == reason))
    return rows.filter((at >= from_ns) & (at < to_ns)).height


def cells(board: Path, stage: str) -> int:
    """How many values the histogram of a stage has on a scoreboard."""
    reader = Reader(board)
    try:
        return int(reader.read().tables[f"{stage}_latency"][:-1].sum())
    finally:
        reader.close()


CONTROLS = (
    Control("reset by a person, with a cause", "15c3-5 (d), CME", reset),
    Control("limits signed, changed with audit", "15c3-5 (d), (e), CME", signed_limits),
    Control("heartbeat of a client", "FIA", heartbeat),
    Control("stage latency", "15c3-5 (e)", stage_latency),
)

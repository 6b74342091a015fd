"""`make fuzz-engine`: random markets in the engine and in its twin, until one differs.

Prints what was hit: reasons, answers, TIFs, queue models, causes of wake-ups, kinds of rows, and
how many markets had a sweep of more than 300 levels; what a replay can bring about and no market
did stands in a line NOT HIT. The first seed that differs is shrunk to the
fewest rows that still differ and printed with both records. Exit code 1 when one differs.
"""

import argparse
import gc
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from operator import itemgetter
from typing import Any

from hft.core.codes import (
    ControlKind,
    EventKind,
    IntentType,
    Liquidity,
    Reason,
    ResponseKind,
    Tif,
    WakeCause,
)
from hft.gateway.rows import GuardCause
from tests.naive.engine.markets import QUEUES, Market, market
from tests.twin_world import Records, difference, engine_records, twin_records

BATCH = 200
FORMS = ("levels", "orders", "quotes")
# Keys of intents are unique in a replay and nobody asks for tickets: 1xx but none, 2xx of recovery,
# 5xx of live doors and 6xx of other doors cannot occur. An intent is decided when it is written, so
# it has no age (TTL_EXPIRED), and HALT of a storm guard is the policy's first (STORMGUARD_HALT).
REASONS_OF_A_REPLAY = (
    *(Reason.OK, Reason.BAD_MESSAGE, Reason.NOT_FOUND, Reason.OUTCOME_UNKNOWN),
    *(reason for reason in Reason if Reason.GLOBAL_EXPOSURE_LIMIT <= reason <= 307),
    *(Reason.FASTGATE_BAD_PRICE_NEG, Reason.FASTGATE_BAD_PRICE_MAX),
    *(Reason.FASTGATE_BAD_QTY_NEG, Reason.FASTGATE_BAD_QTY_MAX),
    *(Reason.RATE_LIMIT, Reason.ORDER_SIZE, Reason.PRICE_ZERO_OR_NEG, Reason.PRICE_EXCEEDS_CAP),
    *(Reason.PRICE_OUTSIDE_BAND, Reason.REFERENCE_STALE, Reason.MARKET_NO_TOUCH),
    *(Reason.BOOK_INVALID, Reason.POSITION_LIMIT, Reason.NOTIONAL_LIMIT),
    *(Reason.MAX_NOTIONAL_EXCEEDED, Reason.SELF_TRADE, Reason.SYMBOL_RESTRICTED),
    *(Reason.REPEATED_EXECUTION, Reason.POLICY_HALT, Reason.POLICY_DEGRADE, Reason.DAILY_LOSS),
    *(Reason.BREAKER_TRIPPED, Reason.KILL_SWITCH, Reason.FASTGATE_KILL_SWITCH),
    *(Reason.STORMGUARD_STORM_NEW_BLOCKED, Reason.STARTUP_HOLDOFF, Reason.ALPHA_NOT_LIVE),
    *(Reason.NOT_LEADER, Reason.ORDER_QUEUE_FULL, Reason.COMMAND_DEADLINE),
)
DEEP = 300


KIND_AND_CODE = itemgetter(0, 5)  # of a step
LISTS: dict[str, tuple[str, Any]] = {
    "WAKE": ("wake", WakeCause),
    "DECISION": ("reason", Reason),
    "ARRIVAL": ("arrival", IntentType),
    "RESPONSE": ("answer", ResponseKind),
    "FILL": ("fill", Liquidity),
    "CONTROL": ("control", ControlKind),
    "GUARD": ("guard", GuardCause),
}
TAKEN = ("FILL", int(Liquidity.TAKER))


def hits(made: Market, found: Records) -> Counter[tuple[str, str]]:
    """What one market reached, as counts of (list, name)."""
    counts: Counter[tuple[str, str]] = Counter()
    counts["queue", f"{made.form} {made.venue.queue}"] += 1
    counts["fills", "capped" if made.venue.capped else "whole"] += 1
    counts["taken", made.venue.rule] += 1
    counts["crossed", made.venue.crossed] += 1
    counts["limits", "off" if made.rules is None else made.rules.self_trade.name] += 1
    counts.update(("leg", leg[0]) for leg in made.venue.legs.values())
    plan = made.venue.faults
    told = {"reject": plan.reject, "lost": plan.lost, "late": plan.late, "twice": plan.twice}
    counts.update(("fault", name) for name, chance in told.items() if chance)
    counts["fault", "down"] += plan.down_ns[1] > 0
    for kind, count in Counter([row.kind for rows in made.feeds for row in rows]).items():
        counts["row", EventKind(kind).name] += count
    for (step, code), count in Counter(map(KIND_AND_CODE, found.steps)).items():
        if code is None:  # the twin does not say
            continue
        name, codes = LISTS[step]
        counts[name, codes(code).name] += count
    sweeps = Counter([step[4] for step in found.steps if KIND_AND_CODE(step) == TAKEN])
    counts.update({("deed", name): count for name, count in found.deeds.items()})
    counts["market", "all"] += 1
    counts["market", f"a sweep passed {DEEP} levels"] += any(n > DEEP for n in sweeps.values())
    return counts


# What docs/reference lists and a replay can bring about, by list.
REACHABLE: dict[str, tuple[str, ...]] = {
    "reason": tuple(reason.name for reason in REASONS_OF_A_REPLAY),
    "answer": tuple(kind.name for kind in ResponseKind),
    "arrival": ("NEW", "AMEND", "CANCEL", "FORCE_FLAT"),
    "control": (
        *("START", "MODE", "KILL", "LIMITS", "LATENCY", "PROMOTION", "LEASE", "RESET_DAILY"),
    ),
    "guard": (*("POSITION", "MARKET_MOVE", "LOSS", "MANUAL", "DRAWDOWN", "FEED_GAP", "LATENCY"),),
    "wake": ("TIMER", "FILL", "ORDER", "TRADE", "BOOK", "STATUS"),
    "deed": tuple(f"LIMIT {tif.name}" for tif in Tif)
    + tuple(f"MARKET {name}" for name in ("GTC", "IOC", "FOK")),
    "fill": ("MAKER", "TAKER"),
    "queue": tuple(f"{form} {queue}" for form in FORMS for queue in QUEUES),
    "leg": ("constant", "uniform", "sampled", "interpolated"),
    "fault": ("reject", "lost", "late", "twice", "down"),
}


def missing(counts: Counter[tuple[str, str]]) -> list[tuple[str, str]]:
    """What can be reached and was not."""
    wanted = [(name, item) for name, items in REACHABLE.items() for item in items]
    return [key for key in wanted if not counts[key]]


def run_batch(first: int, count: int) -> tuple[int | None, Counter[tuple[str, str]]]:
    """Compare the markets of `count` seeds. Returns: the first that differs, and the hits."""
    gc.collect()
    counts: Counter[tuple[str, str]] = Counter()
    for seed in range(first, first + count):
        made = market(seed)
        found = engine_records(made)
        counts.update(hits(made, found))
        if difference(found, twin_records(made)) is not None:
            return seed, counts
    return None, counts


def _process() -> None:
    """Before the first batch: what is there stays, and cycles are collected between batches."""
    gc.freeze()
    gc.disable()


def differs(made: Market) -> str | None:
    try:
        return difference(engine_records(made), twin_records(made))
    except Exception as error:  # a market that stops one of the worlds differs, too
        return f"{type(error).__name__}: {error}"


def shrunk(made: Market) -> Market:
    """The fewest rows that still differ, found by leaving out halves, quarters, ... single rows."""
    for k in range(len(made.feeds)):
        size = len(made.feeds[k]) // 2
        while size:
            at = 0
            while at < len(made.feeds[k]):
                rows = made.feeds[k][:at] + made.feeds[k][at + size :]
                tried = replace(made, feeds=[*made.feeds[:k], rows, *made.feeds[k + 1 :]])
                if rows and differs(tried):
                    made = tried
                else:
                    at += size
            size //= 2
    return made


def told(made: Market) -> str:
    """A market that differs, in words."""
    rows = "\n".join(
        f"   {k} {EventKind(r.kind).name:9} {tuple(r)}" for k, f in enumerate(made.feeds) for r in f
    )
    who = f"{made.form}, {made.venue}, {made.actors}, {made.house}"
    return f"seed {made.seed}: {who}\n{rows}\n{differs(made)}"


def table(counts: Counter[tuple[str, str]]) -> str:
    lists: dict[str, list[str]] = {}
    for (name, item), count in sorted(counts.items()):
        lists.setdefault(name, []).append(f"{item} {count}")
    return "\n".join(f"{name:8} {', '.join(items)}" for name, items in lists.items())


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--markets", type=int, default=200_000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--processes", type=int, default=2)
    args = parser.parse_args(argv)
    started, counts = time.monotonic(), Counter[tuple[str, str]]()
    engine_records(market(args.first))  # compiled once, before the processes start
    firsts = range(args.first, args.first + args.markets, BATCH)
    sizes = [min(BATCH, args.first + args.markets - first) for first in firsts]
    with ProcessPoolExecutor(args.processes, initializer=_process) as pool:
        bad: list[Any] = []
        for seed, part in pool.map(run_batch, firsts, sizes):
            counts += part
            if seed is not None:
                bad.append(seed)
                pool.shutdown(wait=False, cancel_futures=True)
                break
    print(table(counts))
    absent = ", ".join(f"{name} {item}" for name, item in missing(counts))
    print(f"NOT HIT: {absent or 'nothing'}")
    spent = time.monotonic() - started
    print(f"{counts['market', 'all']} markets in {spent:.0f} s, {len(bad)} differ")
    if bad:
        print(told(shrunk(market(bad[0]))))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())

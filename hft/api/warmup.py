"""What a first command would wait for, compiled ahead: `hft warmup`.

Kernels are compiled by what calls them, so each part here is the smallest piece of real work of its
kind, in a folder that is gone afterwards. A vendor's reader is compiled by its first file.
"""

import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl

from hft.api import replays as api
from hft.runs.ingest import synthetic
from hft.strategies.base import pointer, strategy
from hft.tape.dataset import Tapes

EVENTS = 300
SEEN = ["mid_tick", "spread_ticks", "imbalance_5", "order_flow"]


def warm_up() -> Iterator[tuple[str, float]]:
    """Compile part by part. Yields: the name of each part that is done, and its seconds."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for part, work in _parts(folder):
            began = time.perf_counter()
            work()
            yield part, time.perf_counter() - began


def _parts(folder: Path) -> tuple[tuple[str, Callable[[], object]], ...]:
    return (
        ("engine", api.warm_up),
        ("ingest", lambda: _ingest(folder)),
        ("strategies", _strategies),
        ("replay", lambda: _replay(folder)),
        ("features", lambda: _features(folder)),
        ("expressions", _expressions),
    )


def _markets(folder: Path) -> list[Tapes]:
    return [synthetic(seed=1, events=EVENTS, kind=kind, out=folder / kind) for kind in ("l2", "l3")]


def _ingest(folder: Path) -> None:
    _markets(folder)
    ts = [1_700_000_000_000_000_000 + 1_000_000 * k for k in range(20)]
    quotes = pl.DataFrame({"ts": ts, "bid": [10.0] * 20, "ask": [10.5] * 20})
    trades = pl.DataFrame({"ts": ts, "price": [10.0] * 20, "qty": [1] * 20, "side": ["buy"] * 20})
    sides = {"side": ["buy", "sell"] * 10, "price": [10.0, 10.5] * 10, "qty": [1] * 20}
    levels = pl.DataFrame({"ts": ts, "is_snapshot": [True] * 2 + [False] * 18, **sides})
    for name, frame in (("quotes", quotes), ("trades", trades), ("levels", levels)):
        api.ingest(frame, folder / name, symbol="X", tick="0.5", lot=1)


def _strategies() -> None:
    pointer([strategy(every="1s", state={"x": [0] * 4})(_everything)])


def _replay(folder: Path) -> None:
    for k, tapes in enumerate(_markets(folder)):
        run = api.replay(tapes, "market_making", record="full", out=folder / f"runs-{k}")
        run.relimit(api.Limits.research())


def _features(folder: Path) -> None:
    for tapes in _markets(folder):
        api.features(tapes, SEEN, clock="10s").collect()


def _expressions() -> None:
    import numpy as np

    from hft.research.expressions.evaluate import evaluate
    from hft.research.expressions.expression import parse

    evaluate([parse("rank(ts_mean(a, 3))")], {"a": np.arange(50.0)})


def _everything(view, order, p, s):  # type: ignore[no-untyped-def]
    """Every member of view and order once; compiled, never run."""
    x = view.now + view.wake + view.bid_lots + view.ask_lots + view.spread_ticks + view.mid2
    x += view.last_trade_tick + view.last_trade_lots + view.last_trade_side
    x += view.traded_since_wake + view.position + view.pnl + view.open_buy + view.open_sell
    x += view.working_buy_tick + view.working_sell_tick + view.session_phase + view.ns_to_close
    x += view.bid_ticks[0] + view.ask_ticks[0] + view.bid_depth[0] + view.ask_depth[0]
    x += view.signal_ns[0] + view.order_flow(s["x"]) + view.to_ticks(view.to_price(view.bid_tick))
    y = view.mid_tick + view.micro_tick + view.tick_size + view.signal[0] + view.imbalance(3)
    side = 0
    one = view.first_order(side)
    while one >= 0:
        if view.order_live(one) and view.order_open(one) > 0:
            order.amend(view.order_id(one), view.order_tick(one), 1)
            order.cancel(view.order_id(one))
        one = view.next_order(one)
    if view.book_valid:
        order.quote(side, y, 1)
        order.quote(side, view.bid_tick, 1)
        order.target(1)
        order.target(1, view.ask_tick)
        order.new(side, view.bid_tick, 1)
        order.new(side, view.bid_tick, 1, 1)
        order.cancel_all()
        order.log(1, y + x)

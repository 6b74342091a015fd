"""The first step at which a replay leaves the run that was blessed, with the state of both.

With the blessed run's folder it is the very step; without it (a clean clone) the ladder gives two
steps between which the runs part, and the new run's record there.
"""

from collections.abc import Mapping
from difflib import unified_diff
from typing import Any

import numpy as np
import polars as pl

from hft.runs.diff import Divergence, diff, step_words
from hft.runs.folder.reader import RunReader
from hft.runs.regression.ladder import Span, parted

CHANGED_MAX = 8  # lines of a strategy's text
RESEEDED = (
    "the seed moved, and the running digest begins with it: only beside the blessed run's folder, "
    "which is not here, is the first differing step named"
)


def first_step(
    entry: Mapping[str, Any], run: RunReader, blessed: RunReader | None, *, reseeded: bool = False
) -> dict[str, Any]:
    """`kind` is step or span; `text` has it in lines, `state` what both runs held before it.

    The running digest begins with the seed: of a `reseeded` run no rung is the same.
    """
    if blessed is not None:
        return _exact(diff(blessed, run), blessed, run)
    if reseeded:
        return {"kind": "span", "same": 0, "other": 1, "text": [RESEEDED], "state": {}}
    steps = int(entry["steps"])
    span = parted(entry["ladder"], steps, run.steps())
    total = int(run.totals.get("steps", 0))
    if span is None and total > steps:
        span = Span(steps, steps + 1)
    if span is None:
        text = ["no rung of the running digest differs: the runs differ after their last step"]
        return {"kind": "span", "same": steps, "other": steps, "text": text, "state": {}}
    return _between(span, steps, total, run)


def _exact(found: Divergence, blessed: RunReader, run: RunReader) -> dict[str, Any]:
    text = [found.sentence.replace(blessed.id, "the blessed run").replace(run.id, "this one")]
    if found.before:
        text.append(f"both     {found.before}")
    named = bool(found.left or found.right)  # no step does where only the running digest differs
    if named:
        text.append(f"blessed  {found.left or 'ended'}")
        text.append(f"now      {found.right or 'ended'}")
    state: dict[str, Any] = {}
    for name, one in (("blessed", blessed), ("now", run)):
        state[name] = state_before(one, found.step) if named else {}
    text += _state_lines(state)
    text += _changed(found)
    return {"kind": "step", "step": found.step, "fields": found.fields, "text": text} | {
        "blessed": found.left,
        "now": found.right,
        "before": found.before,
        "state": state,
    }


def _between(span: Span, steps: int, total: int, run: RunReader) -> dict[str, Any]:
    since = f"after step {span.same}" if span.same else "from the first step on"
    text = [f"the runs part {since}, at step {span.other} at the latest"]
    if total != steps:
        text[0] += f"; the blessed run has {steps:,} steps, this one {total:,}"
    rows = {int(row["seq"]): row for row in _rows(run, {span.same, min(span.other, total)})}
    if span.same in rows:
        text.append(f"both     {step_words(rows[span.same], run.names)}")
    if span.other in rows:
        text.append(f"now      {step_words(rows[span.other], run.names)}")
    state = {"now": state_before(run, span.same + 1)}
    text += _state_lines(state)
    text.append("the blessed run's folder is not here: with it the very step is named")
    return {"kind": "span", "same": span.same, "other": span.other, "text": text, "state": state}


def state_before(run: RunReader, step: int) -> dict[str, Any]:
    """What a run held when a step came: time, positions, net P&L, open orders, tracked state."""
    rows = list(_rows(run, {min(step, int(run.totals.get("steps", step)))}))
    if not rows:
        return {}
    at = pl.lit(int(rows[0]["ts_ns"])).cast(pl.Datetime("ns", "UTC"))
    before = run.equity.filter(pl.col("ts") < at)
    last = before.group_by("strategy", "symbol", maintain_order=True).last()
    found: dict[str, Any] = {"at": f"{np.datetime64(int(rows[0]['ts_ns']), 'ns')}Z"}
    found["net"] = float(last["net"].sum())
    held = zip(last["strategy"], last["symbol"], last["position_lots"], strict=True)
    found["positions"] = {f"{strategy} {symbol}": lots for strategy, symbol, lots in held}
    orders = run.orders.filter(pl.col("sent") < at)
    live = orders.filter(pl.col("ended").is_null() | (pl.col("ended") >= at))
    columns = ("order_id", "symbol", "side", "price", "lots")
    found["open_orders"] = live.select(columns).tail(8).to_dicts()
    series = run.series.filter(pl.col("ts") < at).tail(1).to_dicts()
    known = {} if not series else series[0]
    found["tracked"] = {k: v for k, v in known.items() if k not in ("ts", "strategy")}
    return found


def _rows(run: RunReader, wanted: set[int]) -> list[np.ndarray]:
    found = []
    for block in run.steps():
        found += [block[k] for k in np.flatnonzero(np.isin(block["seq"], list(wanted)))]
        if len(found) == len(wanted) or (len(block) and block["seq"][-1] >= max(wanted)):
            break
    return found


def _state_lines(state: Mapping[str, Mapping[str, Any]]) -> list[str]:
    lines = []
    for name, one in state.items():
        if not one:
            continue
        held = ", ".join(f"{key} {lots} lots" for key, lots in one["positions"].items())
        orders = ", ".join(
            f"{o['side']} {o['lots']} @ {o['price']:.12g}" if o["price"] is not None else o["side"]
            for o in one["open_orders"]
        )
        tracked = ", ".join(f"{k} {v:.8g}" for k, v in one["tracked"].items() if v is not None)
        parts = [f"held {held or 'nothing'}", f"net {one['net']:.8g}"]
        parts += [f"open {orders or 'none'}", tracked]
        lines.append(f"{name:7}  before it: " + "; ".join(filter(None, parts)))
    return lines


def _changed(found: Divergence) -> list[str]:
    """What differs in code and configuration; hashes and tapes are told as what moved."""
    lines = []
    for name, (a, b) in found.config.items():
        head, _, rest = name.partition(".")
        if head != "config":
            continue
        if name.endswith(".source") and isinstance(a, str) and isinstance(b, str):
            rows = list(unified_diff(a.splitlines(), b.splitlines(), n=0, lineterm=""))[2:]
            lines += [f"code     {row}" for row in rows if not row.startswith("@@")][:CHANGED_MAX]
        else:
            lines.append(f"config   {rest}: {_short(a)} | {_short(b)}")
    return lines[: 2 * CHANGED_MAX]


def _short(value: Any) -> str:
    text = "none" if value is None else " ".join(str(value).split())
    return text if len(text) <= 40 else f"{text[:37]}..."

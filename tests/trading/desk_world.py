"""A desk and its twin in plain Python: every row goes to both, and both must say the same."""

from fractions import Fraction
from typing import Any

import numpy as np

from hft.core.codes import DedupState, IntentType, Reason, StepKind
from hft.core.dtypes import INSTRUMENT
from hft.gateway import dedup, tables
from hft.gateway.invariants import check
from hft.trading.desk import Desk
from hft.trading.inputs import HEARD, InputKind, heard, rows_of
from tests.naive.desk import NaiveDesk
from tests.naive.gateway import Rules
from tests.naive.gateway_rows import resolved
from tests.naive.positions import NaiveInstrument

S = 1_000_000_000
START = 1_700_000_000 * S
ROOM = 4
FEES_BPS = (1, 5)
SAID = {kind.name.lower(): kind for kind in InputKind}


def instruments(rules: Rules) -> np.ndarray:
    rows = np.zeros(rules.instruments, INSTRUMENT)
    rows["money_per_tick_lot"] = rules.money_per_tick_lot
    rows["maker_fee_e8"], rows["taker_fee_e8"] = (bps * 10_000 for bps in FEES_BPS)
    rows["symbol_key"] = 11 + np.arange(rules.instruments)
    return rows


def desk_of(rules: Rules, **changes: Any) -> Desk:
    given: dict[str, Any] = {
        "accounts": [f"account{k}" for k in range(rules.accounts)],
        "strategies": [f"strategy{k}" for k in range(rules.strategies)],
        "order_capacity": 64,
        "dedup_window": rules.dedup_window,
        "room": ROOM,
    }
    return Desk(instruments(rules), resolved(rules), **(given | changes))


class DeskPair:
    """Both desks of one set of rules; `rows` is what they heard."""

    def __init__(self, rules: Rules) -> None:
        self.rules, self.now, self.rows = rules, START, []
        self.desk = desk_of(rules)
        one, (maker, taker) = Fraction(1), (Fraction(bps) for bps in FEES_BPS)
        money = Fraction(rules.money_per_tick_lot)
        made = NaiveInstrument(one, one, money, 0, maker_bps=maker, taker_bps=taker)
        self.twin = NaiveDesk(rules, made, ROOM)
        self.live()

    def live(self) -> None:
        """A new life of both."""
        for row in self.desk.begin(self.now).reshape(-1, 1):
            kind = InputKind(int(row["kind"][0])).name.lower()
            self._both(kind, row, {name: int(row[name][0]) for name in row.dtype.names})

    def hear(self, kind: str, **fields: int) -> None:
        if kind in ("answer", "reconciled", "unsent"):
            row = heard(SAID[kind], self.now, **fields)
            names = HEARD.names or ()
            told = {name: int(row.view(HEARD)[name][0]) for name in names}
        else:
            row = rows_of(SAID[kind], self.now, **fields)
            told = {name: int(row[name][0]) for name in row.dtype.names or ()}
        self._both(kind, row, told)

    def _both(self, kind: str, row: np.ndarray, told: dict[str, int]) -> None:
        self.rows.append(row)
        applied = self.desk.apply(row)
        self.twin.sent, self.twin.said = [], []
        self.twin.hear(kind, **told)
        names = ("kind", "order_id", "cmd_id", "price", "qty")
        sent = [tuple(int(one[name]) for name in names) for one in applied.commands]
        assert sent == self.twin.sent, told
        decisions = applied.steps[applied.steps["kind"] == StepKind.DECISION]
        said = [("decision", *(int(one[n]) for n in ("order_id", "code"))) for one in decisions]
        assert said == [one[:3] for one in self.twin.said], told
        assert set(applied.commands["input"].tolist()) <= {len(self.rows)}
        self.same()

    def same(self) -> None:
        desk, twin = self.desk, self.twin
        state = desk.trading.gw
        head, own = state.head[0], desk.state.head[0]
        assert check(state) == []
        assert (desk.next_id, desk.inputs, desk.epoch) == (twin.next_id, len(self.rows), twin.epoch)
        counted = ("copies", "gaps", "disputed", "strays")
        assert [int(own[n]) for n in counted] == [getattr(twin, n) for n in counted]
        assert int(head["reserved_money"]) == twin.reserved()
        assert int(head["settled_money"]) == twin.settled()
        working = desk.working()
        assert working["order_id"].tolist() == sorted(twin.orders)
        ids = np.array([0, -1, 77_777, *range(max(1, desk.next_id - 40), desk.next_id + 2)])
        assert desk.are_working(ids).tolist() == [int(one) in twin.orders for one in ids]
        for row in working:
            order = twin.orders[int(row["order_id"])]
            request = None if row["request"] < 0 else IntentType(int(row["request"]))
            assert (request, int(row["status"])) == (order.request, order.status), order
            held = (int(row["price"]), int(row["qty"]), int(row["filled_qty"]))
            assert held == (order.price, order.qty, order.filled), order
            assert int(row["held_qty"]) == order.held_qty(), order
        self._same_positions()
        self._same_keys()

    def _same_positions(self) -> None:
        n = self.rules.instruments
        for (s, i), theirs in self.twin.positions.items():
            ours = self.desk.trading.positions[s * n + i]
            found = [int(ours[x]) for x in ("qty", "cost_money", "realized_money", "fees_money")]
            assert found == [theirs.qty, theirs.cost, theirs.realized, theirs.fees]
            assert int(ours["marked_money"]) == self.twin.marks.get((s, i), (0, 0))[1]
        pnls = self.desk.trading.gw.strategies["pnl_money"].tolist()
        assert pnls == self.twin.pnls

    def _same_keys(self) -> None:
        state = self.desk.trading.gw
        gw = tables.handle(state)
        for (high, low), (known, reason, cmd_id, *_) in self.twin.keys.items():
            index = int(dedup.find(gw, high, low))
            assert index >= 0, (high, low)
            outcome = int(state.dedup[index]["outcome"])
            ours = (DedupState(dedup.state_of(outcome)), Reason(dedup.reason_of(outcome)))
            assert ours == (known, reason), (high, low)
            assert dedup.cmd_of(outcome) == cmd_id, (high, low)

    def restart(self) -> None:
        """The kernel's desk goes on as another object that was restored from a snapshot."""
        other = desk_of(self.rules)
        other.restore(self.desk.snapshot())
        assert other.digest() == self.desk.digest()
        self.desk = other

    def whole(self, cut: int) -> None:
        """All rows at once, or a snapshot at `cut` and the rest, lead to the same bits."""
        rows = np.concatenate(self.rows)
        at_once, before, after = (desk_of(self.rules) for _ in range(3))
        at_once.apply(rows)
        before.replay(rows[:cut])
        after.restore(before.snapshot())
        after.replay(rows[cut:])
        assert at_once.digest() == self.desk.digest() == after.digest()

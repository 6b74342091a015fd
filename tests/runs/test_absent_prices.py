"""What an intent or an answer does not say is null in the frames: no stand-in leaves a journal."""

import numpy as np
import polars as pl
import pytest
from made_runs import NAMES, START_NS
from naive.step import blank_step

from hft.core.codes import IntentType, OrderType, Reason, ResponseKind, Side, StepKind, Tif
from hft.market.book import NO_ASK, NO_BID
from hft.runs.folder import tables
from hft.runs.folder.orders import orders_frame

pytestmark = pytest.mark.nojit
IGNORED = {"instrument_idx": -1, "strategy_idx": -1, "side": -1, "ignored": 1}
SAID = ("side", "price", "price_tick", "lots")


def steps(kind: StepKind, *rows: dict[str, int]) -> np.ndarray:
    """Steps about order 1 of strategy and instrument 0, unless a row says otherwise."""
    out = []
    for k, fields in enumerate(rows):
        step = blank_step()
        about = {"strategy_idx": 0, "instrument_idx": 0, "order_id": 1, "ts_ns": START_NS}
        for name, value in (about | {"seq": k + 1, "kind": int(kind)} | fields).items():
            step[name] = int(value)
        out.append(step)
    return np.array(out)


def asked(**fields: int) -> dict[str, object]:
    """The row of `decisions` about one intent: a NEW limit order unless told otherwise."""
    shape = {"intent_type": IntentType.NEW, "order_type": OrderType.LIMIT, "tif": Tif.GTC}
    frame = pl.DataFrame(
        pl.from_arrow(
            tables.decisions_table(steps(StepKind.DECISION, shape | {"side": 0} | fields), NAMES)
        )
    )
    return frame.row(0, named=True)


@pytest.mark.parametrize("price", [NO_BID, NO_ASK, NO_BID - 2, NO_ASK + 2, -(1 << 62), 1 << 62])
def test_an_order_at_the_touch_of_an_empty_side_has_no_price(price: int) -> None:
    row = asked(price=price, qty=5, code=Reason.FASTGATE_BAD_PRICE_NEG, measured=price)
    assert [row[name] for name in SAID] == ["BUY", None, None, 5]
    assert row["measured"] is None and row["limit"] is None and row["margin"] is None


def test_a_price_that_somebody_asked_for_is_shown_however_odd() -> None:
    for tick in (-3, 0, 10**12, 1 << 58):
        row = asked(price=tick, qty=5)
        assert row["price_tick"] == tick
        assert row["price"] == pytest.approx(tick * 0.1, rel=1e-15)


def test_a_market_order_without_a_touch_has_no_price() -> None:
    market = {"order_type": OrderType.MARKET, "tif": Tif.IOC, "qty": 5}
    assert asked(**market)["price"] is None and asked(**market)["price_tick"] is None
    assert asked(tif=Tif.FOK, qty=5)["price_tick"] is None, "price 0 and at once: a market order"
    assert asked(**market, price=70)["price_tick"] == 70, "the touch that it was checked at"


def test_a_cancel_says_which_order_and_an_amend_has_the_side_of_its_order() -> None:
    cancel = asked(intent_type=IntentType.CANCEL, target_id=9)
    assert [cancel[name] for name in SAID] == [None] * 4 and cancel["target_id"] == 9
    amend = asked(intent_type=IntentType.AMEND, target_id=9, price=70, qty=2)
    assert [amend[name] for name in ("side", "price_tick", "lots", "target_id")] == [None, 70, 2, 9]
    assert asked(price=70, qty=2)["target_id"] is None


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        (ResponseKind.CANCEL_REJECTED, {}),
        (ResponseKind.REJECTED, {}),
        (ResponseKind.ACK, IGNORED),
        (ResponseKind.FILL, IGNORED),
    ],
)
def test_an_answer_that_says_no_price_has_none(kind: ResponseKind, fields: dict[str, int]) -> None:
    rows = steps(StepKind.RESPONSE, {"code": kind} | fields)
    row = pl.DataFrame(pl.from_arrow(tables.events_table(rows, NAMES))).row(0, named=True)
    assert [row[name] for name in ("price", "price_tick", "lots", "fee")] == [None] * 4


def test_a_fill_at_a_price_of_nothing_is_shown_as_it_was() -> None:
    rows = steps(StepKind.RESPONSE, {"code": ResponseKind.FILL, "side": 1, "qty": 2})
    row = pl.DataFrame(pl.from_arrow(tables.events_table(rows, NAMES))).row(0, named=True)
    assert [row[name] for name in SAID] == ["SELL", 0.0, 0, 2]


def test_to_close_whatever_there_is_names_neither_side_nor_lots() -> None:
    close = {"intent_type": IntentType.FORCE_FLAT, "order_type": OrderType.MARKET, "tif": Tif.IOC}
    refused = asked(**close, code=Reason.NOT_FOUND)
    assert [refused[name] for name in SAID] == [None] * 4
    decided = tables.decisions_table(steps(StepKind.DECISION, close | {"price": 70}), NAMES)
    sent = {"code": IntentType.FORCE_FLAT, "side": Side.SELL, "qty": 3}
    happened = tables.events_table(steps(StepKind.ARRIVAL, sent), NAMES)
    frames = [pl.DataFrame(pl.from_arrow(table)).lazy() for table in (decided, happened)]
    row = orders_frame(*frames).collect().row(0, named=True)
    assert (row["side"], row["lots"]) == ("SELL", 3), "what the order said that was sent"


def test_the_order_that_closes_a_position_has_its_side_and_its_lots() -> None:
    close = {"intent_type": IntentType.FORCE_FLAT, "order_type": OrderType.MARKET, "tif": Tif.IOC}
    close |= {"side": Side.SELL, "price": 70, "qty": 3}
    decided = tables.decisions_table(steps(StepKind.DECISION, close), NAMES)
    filled = {"code": ResponseKind.FILL, "side": Side.SELL, "price": 70, "qty": 3}
    happened = tables.events_table(steps(StepKind.RESPONSE, filled), NAMES)
    frames = [pl.DataFrame(pl.from_arrow(table)).lazy() for table in (decided, happened)]
    row = orders_frame(*frames).collect().row(0, named=True)
    assert (row["side"], row["lots"], row["status"]) == ("SELL", 3, "FILLED")

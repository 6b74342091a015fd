"""Typed intents: sixteen fields become one row exactly, and anything else a code and a sentence."""

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hft.core.codes import Reason
from hft.core.dtypes import INTENT
from hft.gateway.stores import key_of_text
from hft.services.typed import BadIntent, TypedIntents

pytestmark = pytest.mark.nojit

INTENTS = TypedIntents(
    ["maker", "taker"], {"BTCUSDT": Decimal("0.1"), "EURUSD": Decimal("0.00001")}
)


def given_tuple(**changes: object) -> tuple[object, ...]:
    fields: dict[str, object] = {
        "marker": "typed_intent_v1",
        "intent_id": 7,
        "strategy_id": "taker",
        "symbol": "BTCUSDT",
        "intent_type": 1,
        "side": 1,
        "price": 501_233_000,
        "qty": 3,
        "tif": 1,
        "target_order_id": "5",
        "timestamp_ns": 11,
        "source_ts_ns": 10,
        "reason": "because",
        "trace_id": "t",
        "idempotency_key": "k7",
        "ttl_ns": 99,
    }
    return tuple((fields | changes).values())


def test_each_field_arrives_in_its_own_place() -> None:
    [row] = INTENTS.rows([given_tuple()])
    high, low = key_of_text("k7")
    expected = {
        **{"intent_id": 7, "strategy_idx": 1, "account_idx": 0, "instrument_idx": 0},
        **{"intent_type": 1, "side": 1, "price": 501_233, "qty": 3, "tif": 1, "order_type": 1},
        **{"target_id": 5, "timestamp_ns": 11, "source_ts_ns": 10, "ttl_ns": 99},
        **{"expire_ts_ns": 0, "key_hi": high, "key_lo": low, "parent_id": 0, "stop_price": 0},
        "display_qty": 0,
    }
    assert {name: int(row[name]) for name in INTENT.names} == expected


def test_a_price_of_a_finer_grid_than_the_wire_has_becomes_ticks_exactly() -> None:
    [row] = INTENTS.rows([given_tuple(symbol="EURUSD", price=10_853)])
    assert row["instrument_idx"] == 1 and row["price"] == 108_530


@pytest.mark.parametrize(
    ("changes", "reason", "said"),
    [
        ({"marker": "typed_intent_v2"}, Reason.BAD_MESSAGE, "begins with 'typed_intent_v1'"),
        ({"strategy_id": "nobody"}, Reason.BAD_MESSAGE, "'nobody' is not one of this gateway"),
        ({"strategy_id": ["taker"]}, Reason.BAD_NUMBER, "wrong kind"),
        ({"symbol": "XRP"}, Reason.UNKNOWN_INSTRUMENT, "'XRP' is not traded here"),
        ({"price": 501_233_500}, Reason.PRICE_OFF_TICK, "between two ticks"),
        ({"price": 5.5}, Reason.PRICE_OFF_TICK, "between two ticks"),
        ({"qty": 2.5}, Reason.BAD_NUMBER, "wrong kind or is out of range"),
        ({"qty": 2**63}, Reason.BAD_NUMBER, "wrong kind or is out of range"),
        ({"price": None}, Reason.BAD_NUMBER, "wrong kind or is out of range"),
        ({"target_order_id": "x1"}, Reason.BAD_NUMBER, "wrong kind or is out of range"),
        ({"idempotency_key": 5}, Reason.BAD_NUMBER, "wrong kind or is out of range"),
    ],
)
def test_what_is_wrong_is_named(changes, reason, said) -> None:
    with pytest.raises(BadIntent, match=said) as refused:
        INTENTS.rows([given_tuple(**changes)])
    assert refused.value.reason is reason


@pytest.mark.parametrize("wrong", [(), given_tuple()[:15], (*given_tuple(), 0), [], None, "text"])
def test_another_shape_is_a_bad_message(wrong) -> None:
    with pytest.raises(BadIntent) as refused:
        INTENTS.rows([wrong])
    assert refused.value.reason is Reason.BAD_MESSAGE


def test_a_cancel_needs_no_price_on_the_grid() -> None:
    [row] = INTENTS.rows([given_tuple(intent_type=2, price=1)])
    assert row["intent_type"] == 2 and row["target_id"] == 5


ANYTHING = st.one_of(
    st.none(),
    st.integers(),
    st.floats(),
    st.text(max_size=5),
    st.booleans(),
    st.lists(st.integers()),
)


@given(st.integers(0, 15), ANYTHING)
def test_a_tuple_with_anything_in_it_is_a_row_or_a_coded_refusal(place, thing) -> None:
    payload = list(given_tuple())
    payload[place] = thing
    try:
        [row] = INTENTS.rows([tuple(payload)])
    except BadIntent as refused:
        assert refused.reason in (
            *(Reason.BAD_MESSAGE, Reason.BAD_NUMBER, Reason.UNKNOWN_INSTRUMENT),
            Reason.PRICE_OFF_TICK,
        )
    else:
        assert row["strategy_idx"] == 1 and row["instrument_idx"] == 0


def one_by_one(payloads: list[tuple[object, ...]]) -> np.ndarray | Reason:
    """What `write` makes of each by itself."""
    words = np.zeros((len(payloads), len(INTENT.names)), np.int64)
    for payload, row in zip(payloads, words, strict=True):
        try:
            INTENTS.write(payload, row)
        except BadIntent as refused:
            return refused.reason
    return words.reshape(-1).view(INTENT)


GOOD = st.fixed_dictionaries(
    {
        "intent_id": st.integers(-(2**63), 2**63 - 1),
        "strategy_id": st.sampled_from(["maker", "taker"]),
        "symbol": st.sampled_from(["BTCUSDT", "EURUSD"]),
        "intent_type": st.integers(0, 3),
        "side": st.integers(0, 1),
        "price": st.one_of(st.integers(-(2**62), 2**62), st.integers(-9, 9)).map(
            lambda n: n * 1000
        ),
        "qty": st.integers(0, 2**40),
        "target_order_id": st.one_of(st.just(""), st.none(), st.integers(0, 2**40).map(str)),
        "idempotency_key": st.text(max_size=20),
        "ttl_ns": st.integers(0, 2**40),
    }
)
SPOILT = st.one_of(st.none(), st.tuples(st.integers(0, 15), ANYTHING))


@given(st.lists(st.tuples(GOOD, SPOILT), min_size=1, max_size=9))
def test_many_at_once_are_the_rows_or_the_refusal_that_each_by_itself_is(given_many) -> None:
    payloads = []
    for fields, spoilt in given_many:
        payload = list(given_tuple(**fields))
        if spoilt is not None:
            payload[spoilt[0]] = spoilt[1]
        payloads.append(tuple(payload))
    expected = one_by_one(payloads)
    try:
        rows = INTENTS.rows(payloads)
    except BadIntent as refused:
        assert refused.reason is expected
    else:
        assert np.array_equal(rows, expected)


def test_tuples_of_all_kinds_of_names_are_written_column_by_column() -> None:
    payloads = [
        given_tuple(
            strategy_id=strategy, symbol=symbol, idempotency_key=key, target_order_id=target
        )
        for strategy in ("maker", "taker")
        for symbol in ("BTCUSDT", "EURUSD")
        for key in ("", "k")
        for target in ("", "7")
    ]
    words = np.zeros((len(payloads), len(INTENT.names)), np.int64)
    assert INTENTS.write_all(payloads, words)
    assert np.array_equal(words.reshape(-1).view(INTENT), one_by_one(payloads))

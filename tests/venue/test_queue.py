"""Queue estimates against their formulas in exact lots; the kernel keeps whole millionths."""

from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive.queue import WEIGHTS, NaiveQueue, Weight, power

from hft.core.dtypes import RESTING
from hft.core.jit import kernel
from hft.venue import queue
from hft.venue.model import QUEUES

pytestmark = pytest.mark.nojit

JOIN, TRADE, CHANGE = 0, 1, 2
MODELS: dict[str, Callable[[], Weight | None]] = {
    "risk_averse": lambda: None,
    "prob_log": lambda: WEIGHTS["prob_log"],
    "prob_sqrt": lambda: WEIGHTS["prob_sqrt"],
    "prob_power": lambda: power(3.0),
}


@kernel
def _play(
    resting: np.ndarray, model: int, power_e6: int, moves: np.ndarray, out: np.ndarray
) -> None:
    row = resting[0]
    for i in range(len(moves)):
        if moves[i, 0] == 0:
            queue.joins(row, moves[i, 1])
        elif moves[i, 0] == 1:
            queue.trades(row, moves[i, 1])
            out[i, 1] = queue.reached_lots(row)
            if row["ahead_micro"] < 0:
                row["ahead_micro"] = 0
        else:
            queue.changes(row, model, power_e6, moves[i, 1], moves[i, 2])
        out[i, 0] = row["ahead_micro"]


def play(model: str, moves: list[tuple[int, int, int]]) -> list[tuple[int, int]]:
    out = np.zeros((len(moves), 2), np.int64)
    _play(np.zeros(1, RESTING), QUEUES[model], 3_000_000, np.array(moves, np.int64), out)
    return [tuple(row) for row in out.tolist()]  # type: ignore[misc]


def level_life(joined: int, changes: list[tuple[bool, int]]) -> list[tuple[int, int, int]]:
    """Moves of a level that the tape tells consistently: trades shrink it, then it is restated."""
    moves, shown, unsaid = [(JOIN, joined, 0)], joined, 0
    for is_trade, number in changes:
        if is_trade:
            lots = min(number, shown - unsaid)
            if lots > 0:
                moves.append((TRADE, lots, 0))
                unsaid += lots
        else:
            after = min(number, shown - unsaid) if number % 2 else shown - unsaid + number
            moves.append((CHANGE, shown, after))
            shown, unsaid = after, 0
    return moves


lives = st.builds(
    level_life,
    st.integers(0, 60),
    st.lists(st.tuples(st.booleans(), st.integers(1, 40)), max_size=25),
)


@pytest.mark.parametrize("model", MODELS)
@settings(max_examples=80)
@given(moves=lives)
def test_the_estimate_is_the_formula_up_to_the_quantum(
    model: str, moves: list[tuple[int, int, int]]
) -> None:
    twin, unsure = NaiveQueue(MODELS[model](), 0), Fraction(0)
    for (op, a, b), (ahead, reached) in zip(moves, play(model, moves), strict=True):
        if op == JOIN:
            twin = NaiveQueue(MODELS[model](), a)
        elif op == TRADE:
            twin.trades(a)
            fills = twin.fills()
            # A sum that lands on a whole lot may be floored either way by the quantum.
            assert abs(fills - reached) <= (1 if unsure else 0)
        else:
            twin.changes(a, b)
            if model != "risk_averse" and a > b:
                # The share is rounded to a millionth, which counts once per cancelled lot.
                unsure += Fraction(a - b, 1_000_000)
        assert abs(twin.ahead * 1_000_000 - ahead) <= unsure * 1_000_000, (op, a, b)
        # Every later step starts from the quantised estimate, as the kernel does.
        twin.ahead, unsure = Fraction(ahead, 1_000_000), Fraction(0)


@pytest.mark.parametrize("model", MODELS)
@settings(max_examples=60)
@given(moves=lives)
def test_we_never_stand_behind_more_than_is_shown_and_never_move_back(
    model: str, moves: list[tuple[int, int, int]]
) -> None:
    found = play(model, moves)
    for (op, _, after), (ahead, _), (before, _) in zip(moves[1:], found[1:], found, strict=False):
        assert ahead <= max(0, before)
        if op == CHANGE:
            assert ahead <= after * 1_000_000


def test_a_risk_averse_order_ignores_cancels_behind_it() -> None:
    moves = [(JOIN, 10, 0), (CHANGE, 30, 12), (CHANGE, 12, 9), (TRADE, 4, 0), (TRADE, 7, 0)]
    assert [ahead for ahead, _ in play("risk_averse", moves)] == [
        10_000_000,
        10_000_000,
        9_000_000,
        5_000_000,
        0,
    ]
    assert play("risk_averse", moves)[-1][1] == 2


@pytest.mark.parametrize(
    ("model", "share"),
    [("prob_log", 2 / 3), ("prob_sqrt", 8**0.5 / 2 / (8**0.5 / 2 + 1)), ("prob_power", 8 / 9)],
)
def test_a_cancel_is_split_by_what_stands_on_each_side(model: str, share: float) -> None:
    # 1 lot ahead and 2 behind for the power and root models, 3 ahead and 15 behind for the log.
    front, before = (3, 18) if model == "prob_log" else (1, 3)
    ahead = play(model, [(JOIN, front, 0), (CHANGE, before, before - 1)])[-1][0]
    assert ahead == pytest.approx((front - (1 - share)) * 1e6, abs=1)


@pytest.mark.parametrize("model", ["prob_log", "prob_sqrt", "prob_power"])
def test_what_trades_explain_is_not_counted_again_as_a_cancel(model: str) -> None:
    moves = [(JOIN, 10, 0), (TRADE, 4, 0), (CHANGE, 20, 16)]
    assert play(model, moves)[-1][0] == 6_000_000


def test_a_joining_order_forgets_what_the_slot_had_before() -> None:
    moves = [(JOIN, 10, 0), (TRADE, 4, 0), (JOIN, 3, 0), (CHANGE, 3, 3)]
    assert play("prob_log", moves)[-1][0] == 3_000_000

"""What submitters hear: a row for each intent, many at once, or one by one.

Whoever brings many hears arrays; nothing is made for a single one of them but its row.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from hft.core.codes import Reason, StepKind
from hft.trading.desk import Applied

# One intent's answer. `ts_ns` 0: it never came to a decision.
ANSWER = np.dtype(
    [
        (name, np.int64)
        for name in (
            "place",  # of the intent in what was submitted with it, from 0
            "reason",
            "order_id",
            "cmd_id",
            "ts_ns",
            "measured",
            "limit",
        )
    ],
    align=True,
)
NAMES = ANSWER.names or ()


class Answer(NamedTuple):
    """What a submitter of one intent hears beside the `Reason`.

    `order_id` is what an AMEND or a CANCEL names; 0 where nothing new was sent: a refusal, or the
    stored decision of an earlier intent with the same key. Units: `measured` and `limit` are those
    of the check that refused.
    """

    order_id: int
    cmd_id: int
    ts_ns: int
    measured: int
    limit: int


Told = Callable[[np.ndarray], None]  # ANSWER rows, in order
ToldOne = Callable[[Reason, Answer | None], None]
_REASONS = {reason.value: reason for reason in Reason}
_DECISION = StepKind.DECISION.value
_PLACE, _REASON, _ORDER, _CMD = (
    NAMES.index(name) for name in ("place", "reason", "order_id", "cmd_id")
)
_FROM_STEP = ((_REASON, "code"), *((NAMES.index(name), name) for name in NAMES[_CMD:]))


def blank(count: int, reason: Reason) -> np.ndarray:
    """ANSWER rows of so many that were not decided, as words: a row each, a column a field."""
    words = np.zeros((count, len(NAMES)), np.int64)
    words[:, _REASON] = reason.value
    return words


def of_decisions(applied: Applied, first_id: int, count: int) -> np.ndarray:
    """What is said of so many intents numbered from `first_id`, as words."""
    steps = applied.steps
    places: Any = steps["order_id"] - first_id
    if np.array_equal(places, np.arange(count)):  # each led to its decision and to nothing else
        words, places = np.empty((count, len(NAMES)), np.int64), slice(None)
    else:
        words = blank(count, Reason.INTERNAL_ERROR)
        is_ours = (steps["kind"] == _DECISION) & (places >= 0) & (places < count)
        steps, places = steps[is_ours], places[is_ours]
    for place, name in _FROM_STEP:
        words[places, place] = steps[name]
    words[places, _ORDER] = steps["order_id"]
    cmds, new = steps["cmd_id"], applied.commands["cmd_id"]
    if not np.array_equal(cmds, new):
        words[places, _ORDER] *= _are_new(cmds, new)
    return words


def amend(words: np.ndarray, unsent: Mapping[int, Reason]) -> None:
    """Of these commands it is known that they did not leave. Mutates: words."""
    for at in np.flatnonzero(words[:, _REASON] == Reason.OK.value):
        words[at, _REASON] = unsent.get(int(words[at, _CMD]), Reason.OK).value


def tell(told: Told, words: np.ndarray, place: int) -> None:
    """Answers that begin at this place of what was submitted. Mutates: words.

    What a submitter raises goes to the loop's handler of exceptions: it is no fault of the gateway,
    and others wait for their answers.
    """
    words[:, _PLACE] = np.arange(place, place + len(words))
    try:
        told(words.reshape(-1).view(ANSWER))
    except Exception as error:
        said = {"message": "a submitter failed on its answer", "exception": error}
        asyncio.get_running_loop().call_exception_handler(said)


def one_by_one(told: ToldOne) -> Told:
    """Tells each by itself."""

    def tell_each(answers: np.ndarray) -> None:
        for _, reason, *rest in answers.tolist():
            said = Answer(*rest)
            told(_REASONS[reason], said if said.ts_ns else None)

    return tell_each


def _are_new(cmds: np.ndarray, new: np.ndarray) -> np.ndarray:
    """Is it a command of this batch, and the first to be answered with it?"""
    found = np.zeros(len(cmds), bool)
    found[np.unique(cmds, return_index=True)[1]] = True
    return found & np.isin(cmds, new)

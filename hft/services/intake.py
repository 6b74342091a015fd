"""From what submitters brought to INTENT rows of one batch: decoded, numbered, with their touch.

Ids are given here: an order's id is unique over all lives of a journal, whatever number its
submitter gave it. What is no intent of this gateway is answered at once and never becomes a row.
"""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any, NamedTuple

import numpy as np

from hft.core.codes import IntentType, Reason
from hft.core.dtypes import TOUCH
from hft.services.channel import Envelope, LocalIntentChannel
from hft.services.typed import BadIntent, TypedIntents
from hft.trading.inputs import INPUT, TOUCHED, InputKind

NAMES = INPUT.names or ()
WORDS = len(NAMES)
_INTENT, _TOUCH = NAMES.index("intent_id"), NAMES.index(TOUCHED[0])
_QUEUED, _INSTRUMENT = NAMES.index("queued"), NAMES.index("instrument_idx")
_KIND, _TIMESTAMP = NAMES.index("kind"), NAMES.index("timestamp_ns")
_SEEN = [(TOUCH.names or ()).index("ts_ns" if one == "touch_ns" else one) for one in TOUCHED]
LASTING = (IntentType.CANCEL.value, IntentType.FORCE_FLAT.value)  # they do not grow old


class Batch(NamedTuple):
    """INTENT rows as words (a row each, a column a field of INPUT), and who waits for them, in
    order; ids are still to be given."""

    words: np.ndarray
    envelopes: Sequence[Envelope]


def ages(payload: Any) -> bool:
    """Does an intent grow old in the channel? Not one that gets out of a risk."""
    return not (isinstance(payload, tuple) and len(payload) > 4 and payload[4] in LASTING)


def take(channel: LocalIntentChannel, typed: TypedIntents, most: int) -> Batch | None:
    """The oldest intents of a channel as rows; None when there are none."""
    envelopes = channel.take(most)
    if not envelopes:
        return None
    if len(envelopes) == 1:
        payloads = envelopes[0].payloads
    else:
        payloads = list(chain.from_iterable([one.payloads for one in envelopes]))
    words = np.zeros((len(payloads), WORDS), np.int64)
    into = words[:, _INTENT:_TOUCH]
    if not typed.write_all(payloads, into):
        found = [_wrong(typed, payload, into[k]) for k, payload in enumerate(payloads)]
        kept = [k for k, wrong in enumerate(found) if wrong is None]
        envelopes = list(_sorted_out(channel, envelopes, found))
        words = words[kept]
    return Batch(words, envelopes) if len(words) else None


def own(intents: Sequence[dict[str, int]], now_ns: int) -> Batch:
    """Intents of the gateway itself, such as cancels of an alpha that was silenced."""
    words = np.zeros((len(intents), WORDS), np.int64)
    for row, given in zip(words, intents, strict=True):
        for name, value in given.items():
            row[NAMES.index(name)] = value
    words[:, _TIMESTAMP] = now_ns
    return Batch(words, [Envelope(intents, own=True)])


def as_words(rows: np.ndarray) -> np.ndarray:
    """Rows of 64-bit fields as words: numpy copies rows with names field by field."""
    return rows.view(np.int64).reshape(len(rows), -1)


def complete(words: np.ndarray, first_id: int, touches: np.ndarray, queued: int) -> None:
    """Number intents from `first_id`, decided on these touches, TOUCH rows as words.

    `queued` commands wait already; each row before one adds another at the most, in common.
    Mutates: words.
    """
    count = np.arange(len(words))
    words[:, _KIND] = InputKind.INTENT.value
    words[:, _QUEUED] = count + queued
    words[:, _INTENT] = count + first_id
    seen = touches[:, _SEEN]
    words[:, _TOUCH:] = seen[words[:, _INSTRUMENT]] if len(seen) > 1 else seen


def refuse(envelopes: Sequence[Envelope], reason: Reason) -> None:
    """Tell everybody the same."""
    for envelope in envelopes:
        envelope.refuse(reason)


def _wrong(typed: TypedIntents, payload: Any, row: np.ndarray) -> Reason | None:
    """Why an intent is none; else it is in the row."""
    try:
        typed.write(payload, row)
    except BadIntent as error:
        return error.reason
    return None


def _sorted_out(
    channel: LocalIntentChannel, envelopes: Sequence[Envelope], found: Sequence[Reason | None]
) -> Iterator[Envelope]:
    """The envelopes of what is an intent; the others are answered."""
    of = iter(found)
    for envelope in envelopes:
        for k in range(len(envelope)):
            one, reason = envelope.part(k, k + 1), next(of)
            if reason is None:
                yield one
            else:
                channel.done()
                one.refuse(reason)

"""From what submitters brought to INTENT rows of one batch: decoded, numbered, with their touch.

Ids are given here: an order's id is unique over all lives of a journal, whatever number its
submitter gave it. What is no intent of this gateway is answered at once and never becomes a row.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from hft.core.codes import IntentType, Reason
from hft.core.dtypes import TOUCH
from hft.services.channel import Envelope, LocalIntentChannel
from hft.services.typed import BadIntent, TypedIntents
from hft.trading.inputs import INPUT, TOUCHED, InputKind

_AT = INPUT.fields["intent_id"][1]  # type: ignore[index]
_SIZE = INPUT.itemsize
_KIND = InputKind.INTENT.value
_TOUCHES = tuple((name, "ts_ns" if name == "touch_ns" else name) for name in TOUCHED)
LASTING = (IntentType.CANCEL.value, IntentType.FORCE_FLAT.value)  # they do not grow old


class Answer(NamedTuple):
    """What a submitter hears beside the `Reason`.

    `order_id` is what an AMEND or a CANCEL names; 0 where nothing new was sent: a refusal, or the
    stored decision of an earlier intent with the same key. Units: `measured` and `limit` are those
    of the check that refused.
    """

    order_id: int
    cmd_id: int
    ts_ns: int
    measured: int
    limit: int


class Batch(NamedTuple):
    """INTENT rows, and who waits for each; ids are still to be given."""

    rows: np.ndarray
    envelopes: Sequence[Envelope | None]


def ages(payload: Any) -> bool:
    """Does an intent grow old in the channel? Not one that gets out of a risk."""
    return not (isinstance(payload, tuple) and len(payload) > 4 and payload[4] in LASTING)


def take(channel: LocalIntentChannel, typed: TypedIntents, most: int) -> Batch | None:
    """The oldest intents of a channel as rows; None when there are none."""
    envelopes = channel.take(most)
    if not envelopes:
        return None
    data = bytearray(_SIZE * len(envelopes))
    kept: list[Envelope | None] = []
    at = _AT
    for envelope in envelopes:
        try:
            typed.write(envelope.payload, data, at)
        except BadIntent as error:
            channel.done()
            if envelope.answered is not None:
                envelope.answered(error.reason, None)
            continue
        kept.append(envelope)
        at += _SIZE
    if not kept:
        return None
    return Batch(np.frombuffer(data, INPUT, len(kept)), kept)


def own(intents: Sequence[dict[str, int]], now_ns: int) -> Batch:
    """Intents of the gateway itself, such as cancels of an alpha that was silenced."""
    rows = np.zeros(len(intents), INPUT)
    for row, given in zip(rows, intents, strict=True):
        for name, value in given.items():
            row[name] = value
    rows["timestamp_ns"] = now_ns
    return Batch(rows, [None] * len(intents))


def complete(batch: Batch, first_id: int, touches: np.ndarray, ts_ns: int, queued: int) -> None:
    """Number the intents from `first_id`, decided at `ts_ns` on these TOUCH rows.

    `queued` commands wait already; each row before one adds another at the most, in common.
    Mutates: batch.
    """
    rows = batch.rows
    count = np.arange(len(rows))
    rows["ts_ns"], rows["kind"] = ts_ns, _KIND
    rows["queued"] = queued + count
    rows["intent_id"] = first_id + count
    seen = touches[rows["instrument_idx"]]
    for name, of in _TOUCHES:
        rows[name] = seen[of]


def no_touches(count: int) -> np.ndarray:
    """TOUCH rows of instruments of which nothing was heard yet."""
    return np.zeros(count, TOUCH)


def refuse(envelopes: Sequence[Envelope | None], reason: Reason) -> None:
    """Tell everybody the same."""
    for envelope in envelopes:
        if envelope is not None and envelope.answered is not None:
            envelope.answered(reason, None)

"""Inputs become rows, rows become state and records: the one place of a life that applies anything.

What rows lead to goes into the outbox and waits there for the disk. A row that cannot be applied is
left out and said; it holds up nobody.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import numpy as np

from hft.core.codes import ControlKind, Reason
from hft.core.errors import ConfigError, DataError, HftError, InvariantError, JournalError
from hft.services import intake
from hft.services.channel import Envelope, LocalIntentChannel
from hft.services.outbox import Outbox
from hft.services.ports import AlertKind
from hft.services.stages import Stages
from hft.storage.commit import Commit
from hft.trading.desk import Desk
from hft.trading.inputs import INPUT, InputKind, rows_of

_TS, _NEXT_ID = intake.NAMES.index("ts_ns"), intake.NAMES.index("next_id")
Waiters = Mapping[int, "asyncio.Future[int]"]  # by the place of the row each waits for
NOBODY: Waiters = MappingProxyType({})


class Writer:
    """Applies and records for one life. Mutates: desk, outbox."""

    def __init__(
        self,
        desk: Desk,
        outbox: Outbox,
        channel: LocalIntentChannel,
        touches: np.ndarray,
        alert: Callable[[AlertKind, str], None],
        wake: Callable[[], None],
        stages: Stages,
    ) -> None:
        self._desk, self._outbox, self._channel = desk, outbox, channel
        self._touches, self._alert, self._wake = intake.as_words(touches), alert, wake
        self._stages = stages
        self._commit: Commit | None = None

    @property
    def commit(self) -> Commit:
        """The journal of this life. Raises: JournalError before it has one."""
        if self._commit is None:
            raise JournalError("this life has not begun")
        return self._commit

    def begin(self, commit: Commit) -> None:
        """Records go there from now on."""
        self._commit = commit

    async def close(self) -> None:
        """Nothing more is recorded. Raises: JournalError where the last records could not be."""
        if self._commit is not None:
            await self._commit.close()

    def put(
        self,
        rows: list[np.ndarray],
        batches: Sequence[intake.Batch],
        now_ns: int,
        waiters: Waiters = NOBODY,
    ) -> None:
        """Number what has come, intents last, and apply it at `now_ns`. Mutates: rows."""
        first_id, queued = self._desk.next_id, self._outbox.queued
        envelopes: list[Envelope] = []
        have = 0
        for batch in batches:
            intake.complete(batch.words, first_id + have, self._touches, queued + have)
            envelopes += batch.envelopes
            have += len(batch.words)
        words = [intake.as_words(one) for one in rows] + [batch.words for batch in batches]
        whole = words[0] if len(words) == 1 else np.concatenate(words)
        ts_ns = max(now_ns, self._desk.now_ns)
        whole[:, _TS] = ts_ns
        whole[:, _NEXT_ID] = first_id + have
        self._apply(whole.reshape(-1).view(INPUT), envelopes, first_id, waiters)

    def _apply(
        self,
        rows: np.ndarray,
        envelopes: Sequence[Envelope],
        first_id: int,
        waiters: Waiters = NOBODY,
    ) -> None:
        if self.commit.failure is not None:
            self._refuse(envelopes, Reason.DEDUP_JOURNAL_FAILED, waiters)
            return
        began_ns = self._stages.clock_ns()
        try:
            applied = self._desk.apply(rows)
        except (ConfigError, DataError) as error:  # of the check before any row is applied
            if self._desk.inputs != self.commit.last:
                raise InvariantError(f"rows were applied in part: {error}") from error
            self._apply_each(rows, envelopes, first_id, waiters, error)
            return
        try:
            number = self.commit.add(rows.tobytes(), int(rows["ts_ns"][0]))
        except JournalError:  # it failed in this moment
            self._refuse(envelopes, Reason.DEDUP_JOURNAL_FAILED, waiters)
            self._wake()
            return
        now_ns = self._stages.clock_ns()
        intents = sum([len(one) for one in envelopes])
        self._stages.applied(rows, applied.commands, intents, now_ns - began_ns)
        self._outbox.add(number, applied, envelopes, first_id, list(waiters.values()), now_ns)

    def _apply_each(
        self,
        rows: np.ndarray,
        envelopes: Sequence[Envelope],
        first_id: int,
        waiters: Waiters,
        error: HftError,
    ) -> None:
        """One row at a time, so that only who waits for the wrong one hears why."""
        if len(rows) == 1:
            self._alert(AlertKind.DEFECT, f"an input was left out: {error}")
            self._refuse(envelopes, Reason.INTERNAL_ERROR, NOBODY)
            for waiter in waiters.values():
                if not waiter.done():
                    waiter.set_exception(error)
                    waiter.exception()  # it was said above, also where nobody waits any more
            return
        each = [one.part(k, k + 1) for one in envelopes for k in range(len(one))]
        others = len(rows) - len(each)
        for k in range(len(rows)):
            at = k - others
            mine = each[at : at + 1] if at >= 0 else ()
            his = {0: waiters[k]} if k in waiters else NOBODY
            self._apply(rows[k : k + 1], mine, first_id + max(at, 0), his)

    def _refuse(self, envelopes: Sequence[Envelope], reason: Reason, waiters: Waiters) -> None:
        intake.refuse(envelopes, reason)
        self._channel.done_with(envelopes)
        for waiter in waiters.values():
            waiter.cancel()


def control_row(kind: ControlKind, code: int = 0, value: int = 0) -> np.ndarray:
    """A CONTROL row; its time is given when it is applied."""
    return rows_of(InputKind.CONTROL, 0, code=kind.value, target_id=code, value=value)

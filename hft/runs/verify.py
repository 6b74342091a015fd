"""Replay a run again from its manifest and compare the digests: is it what it says it is?"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from tempfile import TemporaryDirectory
from typing import Any

from hft.core.errors import JournalError
from hft.runs.diff import Divergence, diff
from hft.runs.execute import again as replay_again
from hft.runs.folder.reader import RunReader
from hft.runs.tapes import Folders

Again = Callable[..., RunReader]


@dataclass(frozen=True)
class Verdict:
    """The answer of `verify`; `divergence` names the first differing step where both were kept."""

    same: bool
    digest: str
    again: str
    sentence: str
    divergence: Divergence | None = None

    def __bool__(self) -> bool:
        return self.same

    def __str__(self) -> str:
        return self.sentence if self.divergence is None else f"{self.sentence}\n{self.divergence}"

    def to_json(self) -> dict[str, Any]:
        found = None if self.divergence is None else self.divergence.to_json()
        return {**self.__dict__, "divergence": found}


def verify(run: RunReader, again: Again | None = None, *, tapes: Folders = None) -> Verdict:
    """Run it again beside it and compare; a run that never ended cannot be verified.

    `again(manifest, record=..., out=...)` replays from a manifest; tapes that are not
    where they were are found by hash in the folder `tapes`. Where the digests differ and the
    run has a journal, it is replayed in full to name the first differing step. Nothing is left
    behind. Raises: JournalError.
    """
    if not run.digest or run.partial:
        raise JournalError(f"{run.path}: the run did not end, so there is no digest to verify")
    replay = again if again is not None else partial(replay_again, tapes=tapes)
    with TemporaryDirectory(prefix=".verify-", dir=run.path.parent) as folder:
        second = replay(run.manifest, record="digest", out=folder)
        if second.digest == run.digest:
            sentence = f"verified: a second run gives the same digest {run.digest[:16]}"
            return Verdict(True, run.digest, second.digest, sentence)
        sentence = f"not the same: digest {run.digest[:16]} then, {second.digest[:16]} now"
        found = None
        if run.record == "full":
            found = diff(run, replay(run.manifest, record="full", out=folder))
        return Verdict(False, run.digest, second.digest, sentence, found)

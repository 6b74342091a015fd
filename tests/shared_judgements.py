"""What code and rows alone decide, found once a test process: for tests of what becomes of it.

A validation starts up to ten processes of the alpha, an approval as many again. Their answers are a
function of the alpha's folder and the rows. Tests that ask what a gate, ledger, audit or promotion
makes of them take `shared_judgements` and with it the answers of the first alpha with this very
folder on these very rows. Only what went well is kept: a leak, a failing test or a process that
ended is found anew each time.

Not for tests of the processes, of leaks and of repeats, nor for one whole validation, proposal and
approval each, which run as a user runs them.
"""

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hft.governance.promotion import remeasure
from hft.governance.validation import correctness, structure, validate
from hft.research.alphas import recount, signals
from hft.research.alphas.remote import RemoteAlpha
from hft.research.data.dataset import ResearchData

_FOUND: dict[Any, Any] = {}


def _key(what: str, alpha: RemoteAlpha, data: ResearchData | None, given: tuple[Any, ...]) -> Any:
    rows: tuple[Any, ...] = ()
    if data is not None:
        frame = data.frame
        hashed = hashlib.sha256(frame.hash_rows().to_numpy().tobytes()).hexdigest()
        beside = sorted((Path(name).name, repr(told)) for name, told in data.metadata.items())
        rows = (data.fingerprint, data.horizon_ns, tuple(frame.columns), hashed, *beside)
    return (what, alpha.code_hash, alpha.alpha_id, alpha.lacking, rows, given)


def _once(
    real: Callable[..., Any], well: Callable[[Any], bool], *, rows: bool = True
) -> Callable[..., Any]:
    """`real`, whose good answers are kept; its first argument is the alpha, then come the rows."""

    def shared(alpha: RemoteAlpha, *given: Any, **named: Any) -> Any:
        data = given[0] if rows else None
        others = tuple(
            hashlib.sha256(one.tobytes()).hexdigest() if isinstance(one, np.ndarray) else one
            for one in given[1 if rows else 0 :]
        )
        key = _key(real.__qualname__, alpha, data, (*others, *sorted(named.items())))
        if key not in _FOUND:
            found = real(alpha, *given, **named)
            if alpha.tried or not well(found):
                return found
            _FOUND[key] = found
        found = _FOUND[key]
        return found.copy() if isinstance(found, np.ndarray | dict) else found

    return shared


@pytest.fixture(scope="module")
def shared_judgements() -> Iterator[None]:
    """Signals, leak tests, runs in fresh processes and an alpha's own tests, each found once."""
    counted = _once(signals.counted, lambda found: True)
    recounted = _once(recount.recounted, lambda found: True)
    tested = _once(correctness.tests_of, lambda found: found["passed"] is True, rows=False)
    checked = _once(structure.check_alpha, lambda found: found.clean)
    repeated = _once(correctness.digests, lambda found: len(set(found[0])) == 1 and not found[1])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(signals, "counted", counted)
        patch.setattr(recount, "counted", counted)
        patch.setattr(recount, "recounted", recounted)
        patch.setattr(validate, "recounted", recounted)
        patch.setattr(validate, "tests_of", tested)
        patch.setattr(remeasure, "tests_of", tested)
        patch.setattr(structure, "check_alpha", checked)
        patch.setattr(correctness, "digests", repeated)
        yield


@pytest.fixture
def judged_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing was found before this test."""
    monkeypatch.setattr("shared_judgements._FOUND", {})

"""What a reader of `relimit` has to know beside the figures."""

from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest

from hft.core.errors import ConfigError
from hft.gateway.limits import Limits
from hft.runs.relimit import Relimit, _absent, _partial, relimit

pytestmark = pytest.mark.nojit
JOB: Any = SimpleNamespace(tapes=SimpleNamespace(symbols=["BTC", "BRK.B"]), strategies={"mine": 0})


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("symbols.NOPE.max_order_size", "the run has no 'NOPE' among its symbols (BTC, BRK.B)"),
        ("instruments.NOPE.max_price", "the run has no 'NOPE' among its symbols"),
        ("strategies.other.max_net_qty", "the run has no 'other' among its strategies (mine)"),
        ("risk.strategy.other.max_order_notional", "the run has no 'other' among its strategies"),
    ],
)
def test_limits_of_what_the_run_does_not_have_are_named(key: str, said: str) -> None:
    (note,) = _absent(Limits.from_dict({key: 1}), JOB)
    assert note.startswith(said)


@pytest.mark.parametrize(
    "key", ["symbols.BTC.max_order_size", "symbols.BRK.B.max_notional", "max_position_size"]
)
def test_limits_of_what_the_run_has_need_no_note(key: str) -> None:
    assert _absent(Limits.from_dict({key: 1}), JOB) == []


def test_notes_stand_in_the_text_and_in_json() -> None:
    frame = pl.DataFrame({"reason": ["OK"], "new_reason": ["OK"]})
    partial: Any = SimpleNamespace(partial=True)
    found = Relimit("x", Limits(), frame, tuple(_partial(partial)))
    assert "\nnote: the run is partial" in str(found)
    assert found.to_json()["notes"] == list(found.notes)


def test_what_is_no_set_of_limits_is_refused_with_what_to_write() -> None:
    nobody: Any = None
    with pytest.raises(ConfigError, match=r"'contract' is no hft.Limits; hft.Limits.load"):
        relimit(nobody, "contract")  # type: ignore[arg-type]

"""What is shown again after a rollback is tried again, however alike it is."""

from dataclasses import replace
from pathlib import Path

import pytest
from ledgers import NOW_NS, returns, trial

from hft.governance.ledger.ledger import Ledger
from hft.research.trial import FIELDS, decode_row


def entered(folder: Path, *entries: int, ideas: int = 1) -> Ledger:
    """A ledger with the same ideas validated once an entry."""
    ledger = Ledger.open(folder, writer="me")
    for entry in entries:
        told = [
            replace(trial(k), config_hash=f"c{entry}", reentry=entry, returns=returns(k))
            for k in range(ideas)
        ]
        ledger.append(told, NOW_NS + entry)
    return ledger


@pytest.mark.parametrize("ideas", [1, 3, 12])
def test_each_entry_counts_like_the_first(tmp_path: Path, ideas: int) -> None:
    views = [
        entered(tmp_path / str(k), *range(k), ideas=ideas).family(label_family="fwd_5s")
        for k in (1, 2, 3)
    ]
    assert [one.n for one in views] == [ideas, 2 * ideas, 3 * ideas]
    first = views[0].effective
    assert [one.effective for one in views] == pytest.approx([first, 2 * first, 3 * first])
    hurdles = [one.hurdle for one in views]
    assert None not in hurdles and hurdles[0] < hurdles[1] < hurdles[2]  # type: ignore[operator]


def test_the_same_returns_under_other_options_are_still_one_try(tmp_path: Path) -> None:
    ledger = Ledger.open(tmp_path, writer="me")
    same = [replace(trial(0), config_hash=f"c{k}") for k in range(4)]
    ledger.append(same, NOW_NS)
    assert ledger.family(label_family="fwd_5s").effective == pytest.approx(1.0)


def test_a_row_of_a_first_entry_is_as_it_always_was(tmp_path: Path) -> None:
    entered(tmp_path, 0, 1)
    first, again = (tmp_path / "me.jsonl").read_bytes().splitlines()[-2:]
    assert b"reentry" not in first and b'"reentry":1' in again
    assert [decode_row(line).reentry for line in (first, again)] == [0, 1]
    assert "reentry" in FIELDS

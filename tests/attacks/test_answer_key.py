"""An answer key passes Gates A to C; rows that its author never had refuse it at the approval.

The key is `days_from_prices`: opening prices with one side each, some 10 kB in the code.
"""

import sys
from datetime import date
from pathlib import Path

import pytest
from promotion_desk import ASSERTED, PlantedDesk, at
from promotion_world import profile

sys.path.insert(0, str(Path(__file__).parent))
from attack_world import RIGHT, answers_to, attacks, install, passed_noise

import hft
from hft.api.approval import approve
from hft.research.data.planted import write
from hft.research.worker import walls

pytestmark = pytest.mark.skipif(bool(walls.missing()), reason=f"no walls: {walls.missing()}")
KEY = next(one for one in attacks() if one.name == "days_from_prices")
LATER = 160 * 24  # hours: rows were recorded meanwhile
UNSEEN = ("unseen_sessions_min", "unseen_gap_max")


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> PlantedDesk:
    """Noise, the key to it, and a profile that asks for unseen rows as `standard` does."""
    made = PlantedDesk.made(tmp_path_factory.mktemp("key") / "desk")
    write(made.root / "data" / "noise", 0.0, days=100, seed=11)
    install(KEY, made.root, answers_to(made.root / "data" / "noise", RIGHT))
    file = made.root / "config" / "governance" / "base.yaml"
    text = file.read_text()
    for name in UNSEEN:
        asked = profile("standard").get(f"promotion.{name}")
        assert f"{name}: null" in text and asked
        text = text.replace(f"{name}: null", f"{name}: {asked}")
    file.write_text(text)
    return made


@pytest.mark.soak  # a validation and two approvals, 30 s of processor
def test_an_answer_key_passes_the_gates_and_approval_refuses_it(
    desk: PlantedDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HFT_ALPHA_AUDIT_ENABLED", "0")
    root, bob = desk.root, desk.root / ".state" / "people" / "bob"
    given = {"profile": "base", "root": root}
    found = hft.alpha.validate(KEY.name, root / "data" / "noise", now=at(10), **given)
    assert passed_noise([gate.to_dict() for gate in found.gates]), "nothing else finds it"
    hft.alpha.freeze(KEY.name, key=bob, root=root, now=at(11))
    asked = hft.alpha.promote(KEY.name, asserted=ASSERTED, now=at(LATER), **given)
    assert asked.decided.accepted, asked.decided
    memo = root / "memo.md"
    memo.write_text("It earns a lot.\n")
    own = {"key": bob, "memo": memo, "root": root}
    bare = approve(KEY.name, now=at(LATER + 1), **own).decided
    assert not bare.approved and "give --unseen DATA" in bare.objections[0]
    said = []
    for n, start in enumerate((date(2025, 1, 6), date(2025, 3, 3))):
        rows = root.parent / f"of_bob{n}"
        write(rows, 0.0, days=40, seed=50 + n, start=start)
        shown = approve(KEY.name, unseen=[str(rows)], now=at(LATER + 2 + n), **own).decided
        assert not shown.approved
        said.append(shown.objections[0])
    assert "standard errors below): at most 2.33 are allowed; it does not earn what" in said[0]
    assert "this code was shown some before and earned less" in said[1], "no second try"

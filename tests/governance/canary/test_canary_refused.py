"""Where a decision about a canary was asked for, there is a row, whatever came of it."""

from pathlib import Path
from typing import Any

import pytest
from promotion_world import ALPHA, World

from hft.api.canary import evaluate, rollback
from hft.api.refusals import ID_MAX
from hft.core.errors import GovernanceError, HftError, PromotionError, ValidationError


def rows(world: World) -> list[dict[str, Any]]:
    return world.rows("alpha_canary_log")


@pytest.mark.parametrize(
    ("name", "error", "known_as"),
    [
        ("nobody_knows_it", PromotionError, "nobody_knows_it"),
        ("Nobody Knows-It", PromotionError, "nobody_knows_it"),
        ("../..", ValidationError, "../.."),
        ("x" * 5000, ValidationError, "x" * ID_MAX),
    ],
)
def test_a_rollback_of_what_there_is_not_is_refused_and_recorded(
    world: World, name: str, error: type[HftError], known_as: str
) -> None:
    with pytest.raises(error) as refused:
        rollback(name, reason="now", root=world.root)
    (row,) = rows(world)
    assert (row["alpha_id"], row["action"], row["applied"]) == (known_as, "hold", 0)
    assert row["reason"] == f"rollback refused: {refused.value}"


def test_a_rollback_of_a_file_that_cannot_be_read_and_one_without_a_reason_are_recorded(
    world: World,
) -> None:
    world.promoted()
    with pytest.raises(GovernanceError, match="--reason"):
        rollback(ALPHA, reason=" ", root=world.root)
    path = world.file().path
    path.write_text("enabled: yes\n")
    with pytest.raises(PromotionError, match="weight 0 already"):
        rollback(ALPHA, reason="now", root=world.root)
    assert ["--reason" in row["reason"] for row in rows(world)] == [True, False]


@pytest.mark.parametrize("name", ["nobody_knows_it", "../.."])
def test_a_decision_that_was_only_looked_at_leaves_no_row_and_an_applied_one_does(
    world: World, name: str
) -> None:
    def asked(apply_it: bool) -> None:
        try:
            assert evaluate(name, apply_it=apply_it, root=world.root).decided.state == "not_found"
        except ValidationError:
            assert name == "../.."

    asked(False)
    assert rows(world) == []
    asked(True)
    (row,) = rows(world)
    assert row["alpha_id"] == name and not row["applied"] and row["reason"]


def test_evidence_that_is_not_there_is_a_row_where_it_was_to_be_applied(
    world: World, tmp_path: Path
) -> None:
    world.promoted()
    for apply_it in (False, True):
        with pytest.raises(HftError):
            evaluate(ALPHA, runs=[tmp_path / "none"], apply_it=apply_it, root=world.root)
    (row,) = rows(world)
    assert row["reason"].startswith("--apply refused: ") and row["alpha_id"] == ALPHA

"""The queries of docs/audit.md answer what they say, from a workspace where it happened."""

import re
from pathlib import Path

import polars as pl
import pytest
from promotion_world import ALPHA, World, shadow

from hft.api.audit import sql, verify
from hft.governance.canary.apply import apply, rollback_by_hand

DOCS = Path(__file__).resolve().parents[2] / "docs" / "audit.md"
FOUND = re.findall(r"\n\n([^\n]+?)[:\n][^`]*?```sql\n(.*?)```", DOCS.read_text(), re.DOTALL)
QUERIES = {title.split(",")[0].split(" (")[0]: query for title, query in FOUND}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A refused proposal, a forced promotion, and its rollback by hand."""
    made = World.made(tmp_path_factory.mktemp("world"), tmp_path_factory.mktemp("keys"))
    made.propose(shadow=shadow(sessions=0))
    made.pass_days(1)
    made.propose(shadow=shadow(sessions=0), force=True, reason="the venue closes")
    made.pass_days(1 / 24)
    assert made.approve().approved
    made.pass_days(1)
    file = made.file()
    assert file.promotion is not None
    decision = rollback_by_hand(file.promotion, "venue outage")
    apply(made.office("cyd"), file, decision, person=made.person("cyd"), key=made.key("cyd"))
    return made


def ask(world: World, title: str) -> pl.DataFrame:
    return sql(QUERIES[title], world.root)


def test_what_was_promoted_and_by_whom(world: World) -> None:
    (row,) = ask(world, "What was promoted").to_dicts()
    assert (row["alpha_id"], row["stage"], row["actor"], row["forced"]) == (
        ALPHA, "approve", "bob", 1,
    )  # fmt: skip
    assert row["key_fp"] == world.person("bob").key.fingerprint
    assert row["time"].strftime("%Y-%m-%d") == "2026-11-03"


def test_gates_that_did_not_pass_this_month(world: World) -> None:
    title = "Gates that did not pass this month"
    then = QUERIES[title].replace("now('UTC')", "toDateTime('2026-11-30 12:00:00', 'UTC')")
    assert then != QUERIES[title]
    found = sql(then, world.root)
    assert [(row["gate"], row["verdict"] != "PASS") for row in found.to_dicts()] == [
        ("E", True)
    ] * 2
    later = QUERIES[title].replace("now('UTC')", "toDateTime('2026-12-01 12:00:00', 'UTC')")
    assert sql(later, world.root).is_empty()
    ask(world, title)  # as it stands, whatever month it is


def test_who_went_round_a_rule(world: World) -> None:
    (row,) = ask(world, "Who went round a rule").to_dicts()
    assert (row["kind"], row["actor"], row["reason"]) == ("force", "ann", "the venue closes")
    assert row["signed"] == 1


def test_the_life_of_a_canary(world: World) -> None:
    (row,) = ask(world, "The life of a canary").to_dicts()
    assert (row["action"], row["new_weight"], row["reason"]) == ("rollback", 0.0, "venue outage")
    assert row["old_weight"] > 0 and row["actor"] == "cyd"


def test_what_each_alpha_was_allowed_last(world: World) -> None:
    (row,) = ask(world, "What each alpha was allowed after its last change").to_dicts()
    assert row == {"alpha_id": ALPHA, "state": "rolled_back", "weight": 0.0, "signer": "cyd"}


def test_what_did_not_go_through(world: World) -> None:
    (row,) = ask(world, "Refusals").to_dicts()
    assert (row["stage"], row["actor"]) == ("propose", "ann") and "E " in row["reasons"]


def test_every_query_of_the_page_is_asked_here_and_the_rows_hold() -> None:
    own = Path(__file__).read_text()
    assert len(QUERIES) == 6 and all(f'"{title}"' in own for title in QUERIES)


def test_the_audit_of_all_this_is_what_it_was(world: World) -> None:
    found = verify(world.root)
    assert found.ok and found.compared, found.findings

"""The budget of looks at the vault, counted from audit rows."""

import pytest

from hft.core.errors import ValidationError
from hft.governance.vault import KIND, REFUSED, budgets, decide, looks, subject, table
from hft.research.data.footprint import Footprint

DATA = "9f" * 32
DAYS = Footprint({day: (100.0, 101.0) for day in range(20240101, 20240121)})
OTHER = Footprint({day: (40.0, 41.0) for day in range(20240101, 20240121)})
LATER = Footprint({day: (100.0, 101.0) for day in range(20240201, 20240221)})


def row(
    seq: int,
    family: str = "ofi",
    dataset: str = DATA,
    days: Footprint | None = DAYS,
    **own: object,
) -> dict:
    named = subject(family, dataset, days)
    about = {"kind": KIND, "alpha_id": f"alpha_{seq}", "subject": named}
    body = {**about, "reason": "last look", "signature": "", **own}
    head = {"seq": seq, "ts": seq * 10, "actor": "ann", "key_fp": "SHA256:x", "row_hash": str(seq)}
    return {**head, "table": "override_log", "row": body}


def flat(given: dict) -> dict:
    """As the database gives it."""
    own = given.pop("row")
    del given["table"]
    return given | own


def test_the_budget_is_spent_look_by_look_and_then_refused() -> None:
    rows: list[dict] = []
    said = []
    for seq in range(4):
        found = decide(rows, family="ofi", dataset=DATA, budget=3)
        said.append((found.allowed, found.left))
        rows.append(row(seq + 1))
    assert said == [(True, 3), (True, 2), (True, 1), (False, 0)]
    refused = decide(rows[:3], family="ofi", dataset=DATA, budget=3).sentence
    assert "refused" in refused and "all 3 looks" in refused and "alpha_2 (audit row 2)" in refused


def test_one_vault_has_one_budget_under_however_many_families() -> None:
    rows = [row(1), row(2, family="queue"), row(3, dataset="aa", days=OTHER), row(4)]
    for family in ("ofi", "queue", "micro"):
        assert decide(rows, family=family, dataset=DATA, budget=3, vault=DAYS).used == 3
        assert decide(rows, family=family, dataset="new", budget=3, vault=DAYS).used == 3
        assert decide(rows, family=family, dataset="aa", budget=3, vault=OTHER).used == 1
    found = [(one.dataset, one.used, one.to_dict()["families"]) for one in budgets(rows, 3)]
    assert found == [(DATA, 3, ["ofi", "queue"]), ("aa", 1, ["ofi"])]


def test_other_rows_and_columns_of_a_vault_are_the_same_vault() -> None:
    """What is chosen of a market makes another dataset, and no other budget."""
    half = Footprint({day: (100.2, 100.9) for day in list(DAYS.days)[7:]})
    wide = Footprint({**LATER.days, **DAYS.days, 20240125: (99.0, 102.0)})
    rows = [row(1), row(2, dataset="aa", days=half), row(3, dataset="bb", days=wide)]
    for dataset, days in ((DATA, DAYS), ("aa", half), ("bb", wide), ("new", half)):
        found = decide(rows, family="ofi", dataset=dataset, budget=3, vault=days)
        assert (found.used, found.allowed) == (3, False), dataset
    fresh = decide(rows[:2], family="ofi", dataset="cc", budget=3, vault=LATER)
    assert fresh.used == 0, "days that nobody saw"
    assert decide(rows, family="ofi", dataset="dd", budget=3, vault=OTHER).used == 0
    assert decide(rows, family="queue", dataset="aa", budget=3, vault=half).used == 3


def test_a_look_that_does_not_say_its_days_counts_for_its_whole_family() -> None:
    """As looks of before the days were kept, or with days that nobody can read."""
    for days in (None, "broken"):
        one = row(1, days=None)
        if days:
            one["row"]["subject"] = one["row"]["subject"][:-1] + ',"rows":{"days":[1]}}'
        assert decide([one], family="ofi", dataset="aa", budget=3, vault=OTHER).used == 1
        assert decide([one], family="queue", dataset="aa", budget=3, vault=OTHER).used == 0


def test_what_was_refused_is_no_look() -> None:
    assert decide([row(1, kind=REFUSED), row(2)], family="ofi", dataset=DATA, budget=3).used == 1


def test_rows_of_the_database_count_as_those_of_the_journal() -> None:
    assert looks([flat(row(1))]) == looks([row(1)])
    assert decide([flat(row(1)), row(2)], family="ofi", dataset=DATA, budget=3).used == 2
    assert decide([row(1), flat(row(1))], family="ofi", dataset=DATA, budget=3).used == 1


def test_other_audit_rows_are_not_looks() -> None:
    other = {**row(2), "table": "control_log"}
    assert looks([row(1, kind="waiver"), other, {"seq": 3, "table": "alpha_gate_log"}]) == []


@pytest.mark.parametrize("bad", ["", "ofi", "{}", '{"family":1,"dataset":2}', "\x00", "[]"])
def test_a_look_that_nobody_can_place_counts_against_everyone(bad: str) -> None:
    rows = [row(1, subject=bad)]
    assert decide(rows, family="ofi", dataset=DATA, budget=1).allowed is False
    assert decide(rows, family="queue", dataset="aa", budget=2).left == 1
    assert "not readable" in table(budgets(rows, 3), 3)


def test_no_budget_is_no_look() -> None:
    found = decide([], family="ofi", dataset=DATA, budget=0)
    assert (
        not found.allowed and "refused" in found.sentence and "alpha.vault_looks" in found.sentence
    )


def test_the_table_says_who_looked_and_why() -> None:
    text = table(budgets([row(1), row(2, family="queue")], 3), 3)
    assert "dataset 9f9f9f9f9f9f9f9f: 2 of 3 looks taken, 1 left" in text
    assert "audit row 2: alpha_2 of family queue, ann: last look" in text
    assert "nobody looked" in table([], 3)


def test_a_look_names_its_family_and_dataset() -> None:
    with pytest.raises(ValidationError):
        subject("", DATA)

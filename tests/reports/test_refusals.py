import polars as pl
import pytest

from hft.core.codes import Reason
from hft.reports.refusals import counted, notice, refusals


def decisions(*rows: tuple[Reason, float | None, str]) -> pl.LazyFrame:
    return pl.LazyFrame(
        {
            "reason": [row[0].name for row in rows],
            "reason_code": [int(row[0]) for row in rows],
            "margin": [row[1] for row in rows],
            "unit": [row[2] for row in rows],
            "ts": list(range(len(rows))),
        },
        schema_overrides={"margin": pl.Float64, "ts": pl.Datetime("ns", "UTC")},
    )


def test_reasons_stand_commonest_first_with_their_median_margin() -> None:
    table = refusals(
        decisions(
            (Reason.OK, None, ""),
            (Reason.POSITION_LIMIT, -1.0, "lots"),
            (Reason.RATE_LIMIT, -1.0, ""),
            (Reason.POSITION_LIMIT, -5.0, "lots"),
            (Reason.POSITION_LIMIT, -2.0, "lots"),
        )
    )
    assert table["reason"].to_list() == ["POSITION_LIMIT", "RATE_LIMIT"]
    row = table.row(0, named=True)
    assert (row["count"], row["share"], row["margin"]) == (3, 0.6, -2.0)
    assert row["key"] == "max_position_size" and "position limit" in row["meaning"]


def test_a_run_without_an_intent_has_no_refusals() -> None:
    assert refusals(decisions()).height == 0
    assert counted({}).height == 0


def test_counts_give_the_same_table_without_margins() -> None:
    table = counted({"0": 6, "420": 1, "440": 3, "9999": 0})
    assert table["reason"].to_list()[:2] == ["POSITION_LIMIT", "RATE_LIMIT"]
    assert table["share"][0] == 0.3 and table["margin"][0] is None


def test_thousands_of_millions_of_refusals_are_a_count_like_any_other() -> None:
    many = 8_529_348_768
    table = refusals(decisions((Reason.POSITION_LIMIT, -1.0, "lots")), many)
    assert table["count"].to_list() == [many, 1]
    assert counted({"420": many})["count"].to_list() == [many]


@pytest.mark.parametrize(("refused", "due"), [(0, False), (5, False), (6, True), (100, True)])
def test_the_line_is_due_above_five_percent(refused: int, due: bool) -> None:
    assert bool(notice(refused, 100, None)) == due


def test_the_line_names_reason_margin_key_and_cure() -> None:
    table = refusals(decisions((Reason.ORDER_SIZE, -3.0, "lots"), (Reason.OK, None, "")))
    line = notice(1, 2, table)
    for part in ("50.0%", "ORDER_SIZE (1)", "−3 lots", "max_order_size", "hft replay relimit"):
        assert part in line


@pytest.mark.parametrize(
    ("reason", "says"),
    [
        (Reason.BAD_NUMBER, "no number"),
        (Reason.FASTGATE_BAD_QTY_NEG, "lots were 0 or less"),
        (Reason.FASTGATE_BAD_PRICE_NEG, "price was below zero"),
        (Reason.PRICE_ZERO_OR_NEG, "price was zero or below"),
    ],
)
def test_of_an_order_that_no_limit_lets_pass_no_limit_is_named(reason: Reason, says: str) -> None:
    table = refusals(decisions((reason, -1.0, "lots")))
    for advice in ("", "tried on this journal: x 5 would let no more of them pass"):
        line = notice(1, 1, table, advice)
        assert says in line and "and no limit lets that pass" in line
        assert "relimit" not in line and "tried" not in line

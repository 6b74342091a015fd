"""`--where` keeps the rows one asks for, and says what is wrong with a question."""

from datetime import UTC, datetime

import polars as pl
import pytest
import typer

from hft.cli.where import rows_where

NS = 1_700_000_000_123_456_789
FRAME = pl.DataFrame(
    {
        "k": [0, 1, 2, 3],
        "symbol": ["ES", "NQ", "ES", None],
        "lots": [1, 2, 3, 4],
        "price": [1.5, 2.0, None, 4.0],
        "done": [True, False, True, False],
        "day": ["2026-01-01", "2026-01-02", "2026-01-03", "2026-01-04"],
        "ts": [NS, NS + 1, NS + 2, NS + 3],
    }
).with_columns(pl.col("day").str.to_date(), pl.col("ts").cast(pl.Datetime("ns", "UTC")).alias("ts"))
MOMENT = datetime.fromtimestamp(NS // 1_000_000_000, UTC).strftime("%Y-%m-%d %H:%M:%S")


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("symbol == 'ES' and lots > 2", [2]),
        ("symbol == 'NQ' or lots >= 4", [1, 3]),
        ("not symbol == 'ES'", [1]),
        ("1 < lots <= 3", [1, 2]),
        ("symbol in ('NQ', 'YM')", [1]),
        ("lots not in [1, 2]", [2, 3]),
        ("symbol in []", []),
        ("price == None", [2]),
        ("price is not None and price * lots > 3", [1, 3]),
        ("symbol != None", [0, 1, 2]),
        ("done", [0, 2]),
        ("done and lots - 1 > -lots + 2", [2]),
        ("day >= '2026-01-03'", [2, 3]),
        ("'2026-01-02' == day", [1]),
        (f"ts == '{MOMENT}.123456790'", [1]),
        (f"ts >= '{MOMENT}.123456791Z'", [2, 3]),
        (f"ts < '{MOMENT}'", []),
        ("ts > '2023-11-14T23:13:20+01:00'", [0, 1, 2, 3]),
    ],
)
def test_the_rows_are_those_for_which_it_holds(text: str, kept: list[int]) -> None:
    assert rows_where(FRAME, text)["k"].to_list() == kept


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("symbol = 'ES'", "with == to compare"),
        ("", "is no expression"),
        ("lotz > 2", "did you mean 'lots'? there are k, symbol"),
        ("symbol == ES", "a text stands in quotes"),
        ("symbol > 2", "cannot be asked of this table"),
        ("symbol", "is no condition"),
        ("lots + 1", "is no condition"),
        ("ts > 'noon'", "which is no time"),
        ("lots > None", "None otherwise than by == and !="),
        ("symbol in 'ES'", "needs a list behind"),
        ("lots ** 2 > 4", "which is no column and no value"),
        ("__import__('os').remove('x') == 1", "which is no column and no value"),
        ("symbol.lower() == 'es'", "which is no column and no value"),
        (f"lots > {10**60}", "cannot be asked of this table"),
        (f"lots > {'-' * 100_000}1", "is no expression"),
        (f"{'not ' * 1500}done", "cannot be asked of this table"),
        (f"lots > {' + '.join(['1'] * 20_000)}", "is no expression"),
    ],
)
def test_a_question_that_cannot_be_asked_is_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(typer.BadParameter) as error:
        rows_where(FRAME, text)
    assert sentence in str(error.value) and "\n" not in str(error.value)

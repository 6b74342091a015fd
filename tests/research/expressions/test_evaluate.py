"""What expressions are worth: by definition, by other libraries, and always the same bits."""

import math

import numpy as np
import polars as pl
import pytest

from hft.core.errors import DataError
from hft.research.expressions import evaluate as evaluation
from hft.research.expressions.evaluate import Evaluation, evaluate, graphs, memory_mb, table_of
from hft.research.expressions.expression import parse
from hft.research.expressions.graph import build
from hft.research.expressions.nodes import OPERATORS
from hft.research.expressions.streaming import Streaming
from tests.naive import expressions as naive
from tests.research.expressions.cases import columns, one_of_each

CASES = one_of_each()
LITTLE = 0.3  # MB


def agree(ours: np.ndarray, theirs: np.ndarray, scale: float = 1.0) -> bool:
    """Equal to 1e-9 of the value, or of the scale of what was summed; missing in the same rows."""
    return np.allclose(ours, theirs, rtol=1e-9, atol=1e-9 * scale, equal_nan=True)


@pytest.mark.nojit
def test_every_operator_is_what_its_definition_says() -> None:
    data = columns(150)
    plain = {name: column.tolist() for name, column in data.items()}
    for expression, ours in zip(CASES, evaluate(CASES, data), strict=True):
        theirs = np.array(naive.values(expression.node, plain))
        wild = "wild" in expression.fields
        assert agree(ours, theirs, 1e15 * 1e-9 if wild else 1e-3), expression


def test_a_value_is_missing_exactly_where_an_input_is() -> None:
    data = columns()
    for expression, ours in zip(CASES, evaluate(CASES, data), strict=True):
        assert not np.isinf(ours).any()
        missing = np.zeros(400, bool)
        for name in expression.fields:
            missing |= ~np.isfinite(data[name])
        if getattr(expression.node, "name", "") == "ts_delta":
            missing[expression.window :] |= missing[: -expression.window].copy()
        assert (np.isnan(ours) == missing).all(), expression


@pytest.mark.parametrize("operator", sorted(OPERATORS))
def test_no_operator_looks_ahead(operator: str) -> None:
    data = columns()
    mine = [e for e in CASES if getattr(e.node, "name", "") == operator]
    assert mine
    whole = evaluate(mine, data)
    for cut in (1, 2, 3, 7, 19, 20, 21, 57, 133, 134, 200, 201, 311, 399):
        part = evaluate(mine, {name: column[:cut] for name, column in data.items()})
        assert part.tobytes() == np.ascontiguousarray(whole[:, :cut]).tobytes(), cut


@pytest.mark.parametrize("operator", sorted(OPERATORS))
def test_what_comes_later_changes_nothing_before(operator: str) -> None:
    data = columns()
    mine = [e for e in CASES if getattr(e.node, "name", "") == operator]
    shaken = {name: column.copy() for name, column in data.items()}
    for column in shaken.values():
        column[250:] = column[250:][::-1] * -10 + 3
    before, after = evaluate(mine, data)[:, :250], evaluate(mine, shaken)[:, :250]
    assert before.tobytes() == after.tobytes()


@pytest.mark.parametrize("block", [1, 7, 64, 399, 5000])
def test_the_size_of_blocks_changes_no_bit(block: int) -> None:
    assert evaluate(CASES, columns(), block=block).tobytes() == evaluate(CASES, columns()).tobytes()


@pytest.mark.parametrize("step", [1, 13, 170])
def test_rows_fed_in_pieces_give_the_same_bits(step: int) -> None:
    data = columns()
    fields = sorted(data)
    table, state = table_of(data, fields), Evaluation(build(CASES, fields), block=64)
    found = np.empty((len(CASES), 400))
    for lo in range(0, 400, step):
        piece = np.ascontiguousarray(table[:, lo : lo + step])
        piece.setflags(write=False)
        answers = np.empty((len(CASES), piece.shape[1]))
        state.feed(piece, answers)
        found[:, lo : lo + step] = answers
    assert found.tobytes() == evaluate(CASES, data).tobytes()


def test_a_stream_of_ticks_gives_the_bits_of_the_batch() -> None:
    data = columns(200)
    batch = evaluate(CASES, data)
    for expression, whole in zip(CASES, batch, strict=True):
        live = Streaming(expression)
        for _ in range(2):
            ticks = [{name: data[name][t] for name in expression.fields} for t in range(200)]
            found = np.array([live.update(**tick) for tick in ticks])
            assert found.tobytes() == whole.tobytes(), expression
            live.reset()


def test_a_tick_without_a_field_is_a_missing_value() -> None:
    live = Streaming("a + b")
    assert math.isnan(live.update(a=1.0))
    assert live.update(a=1.0, b=2.0) == 3.0
    assert math.isnan(live.update(a=None, b=2.0))


def test_a_set_of_expressions_shares_what_they_have_in_common() -> None:
    texts = ["ts_mean(a, 5) - b", "ts_mean(a, 5) + b", "zscore(ts_mean(a, 5))", "b + ts_mean(a, 5)"]
    graph = build([parse(text) for text in texts], ["a", "b"])
    assert graph.nodes == 6  # a, b, the mean, and three different roots
    assert graph.shared > graph.nodes


def test_what_does_not_fit_the_memory_is_done_in_parts_with_the_same_bits() -> None:
    data = columns(5000)
    whole = evaluate(CASES, data)
    fields = sorted(data)
    parts = graphs(CASES, fields, 5000, evaluation.BLOCK, LITTLE)
    assert len(parts) > 3
    for first, stop, graph in parts:
        assert memory_mb(graph, 5000, evaluation.BLOCK) <= LITTLE or stop == first + 1
    assert evaluate(CASES, data, cache_mb=LITTLE).tobytes() == whole.tobytes()


def test_unusable_columns_are_refused_with_a_sentence() -> None:
    two = parse("a + b")
    with pytest.raises(DataError, match="column 'b' is not in the data; it has a"):
        evaluate([two], {"a": np.zeros(3)})
    with pytest.raises(DataError, match="different lengths: a 3, b 4"):
        evaluate([two], {"a": np.zeros(3), "b": np.zeros(4)})
    with pytest.raises(DataError, match="column 'b' does not hold one number a row"):
        evaluate([two], {"a": np.zeros(2), "b": np.array(["x", "y"])})


def test_no_rows_are_no_values() -> None:
    assert evaluate([parse("rank(a)"), parse("ts_mean(a, 3)")], {"a": np.zeros(0)}).shape == (2, 0)


# ---- polars, an independent engine with its own kernels, and pandas for the expanding rank

ORACLE = {
    "ts_sum": lambda c, w: c.rolling_sum(w, min_samples=1),
    "ts_mean": lambda c, w: c.rolling_mean(w, min_samples=1),
    "ts_std": lambda c, w: c.rolling_std(w, min_samples=1, ddof=0),
    "ts_delta": lambda c, w: (c - c.shift(w)).fill_null(0.0),
    "abs": lambda c, w: c.abs(),
    "sign": lambda c, w: c.sign(),
    "log1p": lambda c, w: c.sign() * c.abs().log1p(),
    "neg": lambda c, w: -c,
    "decay_linear": lambda c, w: (
        pl.sum_horizontal([(w - k) * c.shift(k) for k in range(w)])
        / pl.sum_horizontal([(w - k) * c.shift(k).is_not_null().cast(pl.Float64) for k in range(w)])
    ),
    "zscore": lambda c, w: (c - c.cum_sum() / c.cum_count()) / _running_sd(c),
}


def _running_sd(c: pl.Expr) -> pl.Expr:
    n = c.cum_count()
    return ((c * c).cum_sum() / n - (c.cum_sum() / n) ** 2).clip(lower_bound=0.0).sqrt()


@pytest.mark.parametrize("name", sorted(ORACLE))
@pytest.mark.parametrize("window", [1, 3, 20, 100])
def test_polars_agrees_over_long_columns(name: str, window: int) -> None:
    rows = 100_000
    rng = np.random.Generator(np.random.Philox(7))
    data = {"noise": rng.normal(size=rows), "ties": rng.integers(-3, 4, rows).astype(float)}
    frame = pl.DataFrame(data)
    for column in data:
        parts = [column, str(window)] if OPERATORS[name].windowed else [column]
        ours = evaluate([parse(f"{name}({', '.join(parts)})")], data)[0]
        answer = frame.select(ORACLE[name](pl.col(column), window)).to_series()
        theirs = answer.fill_nan(0.0).fill_null(0.0).to_numpy()
        warm = window if name == "decay_linear" else 2 if name == "zscore" else 0
        assert agree(ours[warm:], theirs[warm:], 1e-3), f"{name} {column}"


def test_polars_agrees_on_two_columns() -> None:
    rows = 50_000
    rng = np.random.Generator(np.random.Philox(8))
    data = {"x": rng.normal(size=rows), "y": rng.normal(size=rows)}
    frame = pl.DataFrame(data)
    x, y = pl.col("x"), pl.col("y")
    for text, oracle in (("x+y", x + y), ("x-y", x - y), ("x*y", x * y), ("x/y", x / y)):
        theirs = frame.select(oracle).to_series().to_numpy()
        assert agree(evaluate([parse(text)], data)[0], theirs), text
    for window in (10, 60):
        ours = evaluate([parse(f"ts_corr(x, y, {window})")], data)[0]
        theirs = frame.select(pl.rolling_corr(x, y, window_size=window)).to_series()
        assert agree(ours[window:], theirs.to_numpy()[window:], 1.0), window


def test_pandas_agrees_on_ranks() -> None:
    pandas = pytest.importorskip("pandas")
    rng = np.random.Generator(np.random.Philox(9))
    column = np.round(rng.normal(size=20_000), 2)
    column[rng.random(20_000) < 0.1] = np.nan
    series = pandas.Series(column)
    ours = evaluate([parse("rank(x)"), parse("ts_rank(x, 50)")], {"x": column})
    assert agree(ours[0], series.expanding().rank(pct=True).to_numpy())
    assert agree(ours[1], series.rolling(50, min_periods=1).rank(pct=True).to_numpy())


@pytest.mark.slow
def test_a_million_rows_do_not_drift() -> None:
    rows = 1_000_000
    rng = np.random.Generator(np.random.Philox(10))
    column = 400 + np.cumsum(rng.normal(size=rows)) * 1e-3
    column[1000] = 1e9  # a glitch long ago must not stay in the sums
    ours = evaluate([parse(f"{n}(x_mid, 50)") for n in ("ts_mean", "ts_std")], {"x_mid": column})
    last = np.array([column[t - 49 : t + 1] for t in range(rows - 2000, rows)])
    assert np.allclose(ours[0, -2000:], last.mean(axis=1), rtol=1e-14)
    assert np.allclose(ours[1, -2000:], last.std(axis=1), rtol=1e-9)


def test_ranks_of_a_long_stream_are_those_of_the_column() -> None:
    rng = np.random.Generator(np.random.Philox(11))
    for column in (rng.normal(size=30_000), rng.integers(0, 9, 30_000) * 1.0, np.arange(5000.0)):
        table = column.reshape(1, -1)
        table.setflags(write=False)
        state = Evaluation(build([parse("rank(x)")], ["x"]))
        found = np.empty_like(table)
        state.feed(table, found)
        assert found[0].tobytes() == evaluate([parse("rank(x)")], {"x": column})[0].tobytes()

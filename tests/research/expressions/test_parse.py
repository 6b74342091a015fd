"""What a text means, what is refused, and how the refusal reads."""

import pickle
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hft.core.errors import HftError, ValidationError
from hft.research.expressions.expression import Expression, parse
from hft.research.expressions.nodes import OPERATORS, Const, Field, Node, Op, depth
from hft.research.expressions.parse import ExpressionError

CALLED = {name: operator.signature for name, operator in OPERATORS.items()}


def caret(error: ExpressionError) -> str:
    """The character the caret of a message points at."""
    _, text, mark = str(error).split("\n")
    return text[mark.index("^")] if mark.index("^") < len(text) else ""


def test_the_operators_of_the_contract_are_there() -> None:
    wanted = (
        "abs add decay_linear div log1p mul rank sign ts_corr ts_delta ts_mean ts_rank ts_std "
        "ts_sum zscore"
    )
    assert set(wanted.split()) <= set(OPERATORS)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("b + a", "add(a,b)"),
        ("add(b, a)", "add(a,b)"),
        ("b * a", "mul(a,b)"),
        ("ts_corr(y, x, 5)", "ts_corr(x,y,5)"),
        ("--a", "a"),
        ("-(-(-a))", "neg(a)"),
        ("a - -b", "add(a,b)"),
        ("a + -b", "sub(a,b)"),
        ("-(a - b)", "sub(b,a)"),
        ("-a * -b", "mul(a,b)"),
        ("-a / b", "neg(div(a,b))"),
        ("abs(-a)", "abs(a)"),
        ("abs(abs(a))", "abs(a)"),
        ("sign(sign(a))", "sign(a)"),
        ("a + 0", "a"),
        ("0 - a", "neg(a)"),
        ("1 * a", "a"),
        ("a / 1", "a"),
        ("a * -1", "neg(a)"),
        ("2 * 3 - a", "sub(6.0,a)"),
        ("a + 1 / 0", "a"),
        ("+a", "a"),
        ("a - b - c", "sub(sub(a,b),c)"),
        ("a - (b - c)", "sub(a,sub(b,c))"),
        ("a + b * c", "add(a,mul(b,c))"),
        ("1e-3 + .5", "0.501"),
    ],
)
def test_equal_expressions_have_one_form(text: str, canonical: str) -> None:
    assert parse(text).canonical == canonical


def test_sums_that_round_differently_stay_apart() -> None:
    assert parse("a + (b + c)") != parse("(a + b) + c")
    assert parse("a * 0").canonical == "mul(0.0,a)"  # 0 times a missing value is missing


@pytest.mark.parametrize(
    ("text", "sentence", "at"),
    [
        ("ts_meen(a, 5)", "unknown operator 'ts_meen'; did you mean 'ts_mean'?", "t"),
        ("a + offi", "unknown field 'offi'; did you mean 'ofi'?", "o"),
        ("ts_mean(a, 0)", "whole number of rows >= 1", "0"),
        ("ts_mean(a, 2.0)", "whole number of rows >= 1", "2"),
        ("ts_mean(a, -3)", "whole number of rows >= 1", "-"),
        ("ts_mean(a, a)", "whole number of rows >= 1", "a"),
        ("ts_mean(a)", "the window is missing: write ts_mean(x, w)", ")"),
        ("ts_mean(a, 2000000)", "at most 1000000 rows", "2"),
        ("ts_corr(a, 5)", "the window is missing: write ts_corr(x, y, w)", ")"),
        ("abs()", "too few arguments: write abs(x)", ")"),
        ("abs(a, b)", "expected ')' to end abs(x)", ","),
        ("abs", "abs is an operator: write abs(x)", "a"),
        ("price + 1", "price level", "p"),
        ("a * best_PX", "price level", "b"),
        ("a.b", "attributes are not part of the language", "."),
        ("a[1]", "subscripts are not part of the language", "["),
        ("a < b", "comparisons are not part of the language", "<"),
        ("f(x=1)", "keywords", "="),
        ("lambda x: x", "is not allowed here", ":"),
        ("a ** 2", "found '*'", "*"),
        ("a if b else a", "did not expect 'if' here", "i"),
        ("(a + b", "the parenthesis is not closed", ""),
        ("a +", "the expression ends too early", ""),
        ("", "the expression is empty", ""),
        ("zscore(rank(abs(a)))", "nested deeper than 3 levels", "a"),
        ("a * (b + (a - ofi))", "nested deeper than 3 levels", "a"),
        ("'a'", "is not allowed here", "'"),
        ("1e999", "too large", "1"),
        ("ts_mean(a 5)", "the window is missing", "5"),
    ],
)
def test_a_refusal_names_the_column_and_the_cure(text: str, sentence: str, at: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse(text, ("a", "b", "c", "ofi"))
    assert sentence in str(caught.value)
    assert caret(caught.value) == at
    assert caught.value.exit_code == 65


@pytest.mark.parametrize("name", ["mid_price", "price_delta", "px_diff", "bid_px_ratio", "spread"])
def test_prices_relative_to_something_are_allowed(name: str) -> None:
    assert parse(name).fields == (name,)


def test_a_sign_adds_no_level() -> None:
    assert parse("-zscore(-ts_mean(-a, 3))").depth == 3
    assert parse("a").depth == 1 and parse("a + b").depth == 2


def test_an_error_survives_the_way_from_a_worker_process() -> None:
    with pytest.raises(ValidationError) as caught:
        parse("a +")
    again = pickle.loads(pickle.dumps(caught.value))
    assert str(again) == str(caught.value)


def nodes(levels: int) -> st.SearchStrategy[Node]:
    """Trees of at most so many levels, with signs anywhere."""
    numbers = st.floats(-1e6, 1e6, allow_nan=False).map(lambda v: Const(v + 0.0))
    leaf = st.one_of(st.sampled_from(["a", "b", "mid_c"]).map(Field), numbers)
    signed = st.one_of(leaf, leaf.map(lambda node: Op("neg", (node,))))
    if levels == 1:
        return signed
    inner = nodes(levels - 1)

    def call(name: str) -> st.SearchStrategy[Node]:
        operator = OPERATORS[name]
        windows = st.integers(1, 50) if operator.windowed else st.just(0)
        args = st.tuples(*[inner] * operator.arity)
        return st.builds(Op, st.just(name), args, windows)

    return st.one_of(signed, st.sampled_from(sorted(OPERATORS)).flatmap(call))


@given(nodes(3))
def test_what_is_printed_parses_to_the_same_expression(node: Node) -> None:
    from hft.research.expressions.canonical import canonical

    expression = Expression(canonical(node))
    assert canonical(expression.node) == expression.node
    assert parse(expression.canonical) == expression
    assert parse(expression.pretty()) == expression
    assert parse(expression.pretty()).hash == expression.hash
    assert depth(expression.node) <= depth(node)


@given(nodes(3))
def test_the_canonical_form_has_the_values_of_what_was_written(node: Node) -> None:
    import numpy as np

    from hft.research.expressions.canonical import canonical
    from hft.research.expressions.evaluate import evaluate

    rng = np.random.Generator(np.random.Philox(3))
    columns = {name: rng.normal(size=60) for name in ("a", "b", "mid_c")}
    columns["b"][[0, 7, 30]] = np.nan, 0.0, 1e-13
    written, ours = evaluate([Expression(node), Expression(canonical(node))], columns)
    if "ts_corr" in node.text:  # its sums take the two columns in turn: commuted, it may round
        assert np.allclose(written, ours, rtol=1e-6, atol=1e-9, equal_nan=True)
    else:
        assert np.array_equal(written, ours, equal_nan=True)


@given(st.text(max_size=40) | st.text(string.ascii_lowercase + "_(),+-*/. 0123456789", max_size=60))
def test_any_text_is_an_expression_or_a_refusal_with_a_caret(text: str) -> None:
    try:
        parse(text)
    except HftError as error:
        assert isinstance(error, ExpressionError)
        assert str(error).split("\n")[-1].strip() == "^"


def test_nesting_without_end_is_refused_and_not_a_crash() -> None:
    for text in ("(" * 900 + "a", "-" * 900 + "a", "abs(" * 300 + "a"):
        with pytest.raises(ExpressionError, match="nested"):
            parse(text)
    with pytest.raises(ExpressionError, match="longer than"):
        parse("a+" * 2000 + "a")
    with pytest.raises(ExpressionError, match="deeper"):
        parse("+".join("a" * 400))

import json
import re
from dataclasses import replace
from typing import Any

import made_evidence as made
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_documents import MADE

from hft.reports.governance import evidence as ev
from hft.reports.governance.document import Document
from hft.reports.governance.pages import page
from hft.reports.governance.pictures import DRAW, draw
from hft.reports.governance.pictures.drawn import html
from hft.reports.governance.pictures.luck import crossing
from hft.reports.governance.pictures.pool import alike
from hft.reports.governance.pictures.search import pareto

NAN = float("nan")


def drawn(picture: ev.Picture) -> str:
    """The HTML of a picture, after looking at every coordinate and word of it."""
    body, data = html(draw(picture), 1)
    for d in re.findall(r' d="([^"]*)"', body):
        found = [float(x) for x in re.findall(r"-?\d+(?:\.\d+)?", d)]
        assert not re.search(r"[^-MLHVZhv0-9. ]", d), d[:80]
        assert all(-2000 <= x <= 3000 for x in found)
    for style in re.findall(r'style="([^"]*)"', body):
        assert "nan" not in style and "inf" not in style
    said = re.sub(r"<[^>]+>", " ", body)
    assert not re.search(r"\b(nan|inf|None|NaN|-0|−0)\b(?![.\d])", said), said[:300]
    json.dumps(data, allow_nan=False)
    return body


EMPTY: dict[str, ev.Picture] = {
    "equity": ev.Equity(ts_ns=[], net=[]),
    "path_fan": ev.PathFan(paths=[], sharpe=[]),
    "walk_forward": ev.WalkForward(
        train_start_ns=[], train_end_ns=[], test_start_ns=[], test_end_ns=[], sharpe=[]
    ),
    "ic_decay": ev.IcDecay(horizons_ns=[], ic=[]),
    "pbo_histogram": ev.PboHistogram(logits=[], pbo=None),
    "dsr_curve": ev.DsrCurve(trials=[], dsr=[]),
    "trial_history": ev.TrialHistory(sharpe=[]),
    "parameter_plateau": ev.ParameterPlateau(values=[], objective=[]),
    "cost_latency": ev.CostLatency(cost_multiples=[], sharpe_by_cost=[]),
    "correlation_pool": ev.CorrelationPool(ids=[], correlation=[]),
    "heatmap": ev.Heatmap(ids=[], matrix=[]),
    "search_front": ev.SearchFront(expressions=[], score=[], complexity=[]),
    "canary_process": ev.CanaryProcess(ts_ns=[]),
    "condition_timeline": ev.ConditionTimeline(events=[]),
}
FULL: dict[str, ev.Picture] = {
    one.kind: one for name in MADE for one in Document.of(MADE[name]()).pictures
}


def spoiled(value: Any, with_: float | None) -> Any:
    """Every floating figure of a picture replaced."""
    if isinstance(value, tuple):
        return tuple(spoiled(one, with_) for one in value)
    return with_ if isinstance(value, float) else value


@pytest.mark.parametrize("kind", DRAW)
def test_an_empty_picture_is_a_sentence_not_an_error(kind: str) -> None:
    assert len(draw(EMPTY[kind]).says) > 15
    drawn(EMPTY[kind])


@pytest.mark.parametrize("kind", DRAW)
@pytest.mark.parametrize("with_", [None, 0.0, -0.0, 1.0, -1e-9, 1e12, -1e300])
def test_undefined_equal_and_absurd_figures_are_drawn_without_nonsense(
    kind: str, with_: float | None
) -> None:
    picture = FULL[kind]
    values = {
        name: spoiled(value, with_) for name, value in vars(picture).items() if name != "events"
    }
    drawn(replace(picture, **values))


@pytest.mark.parametrize("kind", DRAW)
def test_one_value_missing_in_the_middle_leaves_the_rest(kind: str) -> None:
    picture = FULL[kind]
    holes = {}
    for name, value in vars(picture).items():
        floating = isinstance(value, tuple) and value and isinstance(value[0], float)
        if floating:
            holes[name] = tuple(None if k == len(value) // 2 else v for k, v in enumerate(value))
    assert "<figure" in drawn(replace(picture, **holes))


odd = st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=True), st.just(0.0))


@settings(max_examples=40, deadline=None)
@given(st.lists(odd, max_size=12), st.integers(0, 10**18))
def test_any_numbers_at_all_make_pictures(values: list[float | None], start: int) -> None:
    n = len(values)
    ts = [start + k * made.DAY_NS for k in range(n)]
    drawn(ev.Equity(ts_ns=ts, net=values, gross=values, low=values, high=values[::-1]))
    drawn(ev.IcDecay(horizons_ns=values, ic=values, low=values, high=values, latency_ns=1.0))
    drawn(ev.PathFan(paths=[values] * n, sharpe=values))
    drawn(ev.PboHistogram(logits=values, pbo=0.5))
    drawn(ev.DsrCurve(trials=values, dsr=values, here=3.0, threshold=0.95))
    drawn(ev.TrialHistory(sharpe=values, hurdle=values, ts_ns=ts))
    drawn(ev.ParameterPlateau(values=values, objective=values, base=0.1))
    drawn(ev.CostLatency(cost_multiples=values, sharpe_by_cost=values))
    drawn(ev.SearchFront(expressions=["x"] * n, score=values, complexity=values))
    drawn(ev.CorrelationPool(ids=["a"] * n, correlation=values, tail=values, limit=0.7))
    drawn(ev.CanaryProcess(ts_ns=ts, e_value=values, mu=values, mu_low=values, mu_high=values,
                           slippage=values, slippage_high=values, slippage_low=values,
                           weight=values, mu0=1.0))  # fmt: skip


def test_one_path_is_its_own_median_and_its_own_worst() -> None:
    body = drawn(made.path_fan(paths=1))
    assert "Half of 1 path show" in body


def test_thousands_of_paths_are_thinned_and_the_legend_says_so() -> None:
    one = made.path_fan(paths=9, n=100)
    many = ev.PathFan(paths=[one.paths[k % 9] for k in range(6435)], sharpe=[1.0] * 6435)
    body = drawn(many)
    assert "60 of 6,435 paths" in body and len(body) < 600_000


def test_five_thousand_trials_are_drawn_small() -> None:
    body = drawn(made.trial_history(5000))
    assert len(body) < 400_000 and "5,000 trials" in body
    over = re.search(r"([\d,]+) above it", body)
    assert over is not None


def test_five_thousand_candidates_are_ranked_and_cut() -> None:
    body = drawn(made.search_front(5000))
    assert len(body) < 400_000 and body.count("<tr>") <= 22
    assert "the first 20 of 5,000" in body


def test_two_hundred_alphas_fit_into_one_field() -> None:
    body = drawn(made.heatmap(200))
    assert "of 19,900 pairs" in body and len(body) < 1_200_000
    whole = page({"title": "x", "pictures": [made.heatmap(200)]}, "pool")
    assert len(whole) < 1_500_000


def test_a_pool_of_one_has_no_pair() -> None:
    assert "1 alpha in the pool" in drawn(made.heatmap(1))


def test_alike_members_become_neighbours() -> None:
    matrix = np.eye(6)
    for a, b in ((0, 3), (1, 5), (2, 4)):
        matrix[a, b] = matrix[b, a] = 0.9
    order = alike(matrix)
    assert sorted(order) == list(range(6))
    place = {member: k for k, member in enumerate(order)}
    assert all(abs(place[a] - place[b]) == 1 for a, b in ((0, 3), (1, 5), (2, 4)))


def test_the_pairs_beyond_the_threshold_are_counted_inclusively() -> None:
    matrix = [[1, 0.7, 0.2], [0.7, 1, -0.7], [0.2, -0.7, 1]]
    says = draw(ev.Heatmap(ids=["a", "b", "c"], matrix=matrix, threshold=0.7)).says
    assert says.startswith("2 of 3 pairs are at or above 0.7; the closest are a and b")


def test_a_logit_of_zero_is_drawn_on_the_overfitted_side() -> None:
    logits = np.concatenate([np.zeros(50), np.linspace(-2, 2, 401)[201:]])
    body = drawn(ev.PboHistogram(logits=logits, pbo=0.2))
    rows = re.findall(r"<td[^>]*>(−?[\d.]+)</td><td class=\"num\">([\d.]+)%", body)
    left = sum(float(share) for at, share in rows if at.startswith("−"))
    assert left == pytest.approx(20.0, abs=0.3)


def test_the_dsr_curve_says_where_it_would_turn() -> None:
    trials = np.array([1.0, 10.0, 100.0])
    assert crossing(trials, np.array([0.99, 0.97, 0.93]), 0.95) == pytest.approx(31.6, abs=0.1)
    assert crossing(trials, np.array([0.99, 0.98, 0.97]), 0.95) is None
    assert "from about 13 trials on it would not" in draw(made.dsr_curve(6.2)).says
    assert "with at most about 13 trials it would" in draw(made.dsr_curve(300)).says


def test_the_front_holds_what_no_simpler_candidate_beats() -> None:
    size = np.array([1, 1, 2, 3, 3, 4], float)
    score = np.array([0.1, 0.5, 0.4, 0.9, 0.9, 0.8])
    assert pareto(size, score) == [1, 3]


def test_candidates_that_lose_everything_do_not_flatten_the_rest() -> None:
    one = ev.SearchFront(expressions=["a", "b", "c"], score=[1.0, -40.0, 0.5], complexity=[1, 2, 2])
    body = drawn(one)
    assert "did not pass (1 far below)" in body
    axis = re.findall(r'class="yl"[^>]*>([^<]*)', body)
    assert all(abs(float(text.replace("−", "-"))) <= 3 for text in axis) and "−40" in body


def test_a_missing_half_life_is_said_and_not_drawn() -> None:
    one = replace(made.ic_decay(), half_life_ns=None, ic0=None)
    body = drawn(one)
    assert "no half-life could be fitted" in body and 'class="vl net' not in body


def test_an_optimum_at_the_edge_of_the_sweep_is_called_out() -> None:
    rising = ev.ParameterPlateau(values=[1, 2, 3], objective=[0.1, 0.5, 0.9], name="w")
    assert "at the edge of what was tried" in draw(rising).says


def test_costs_that_eat_the_edge_are_named_with_the_multiple() -> None:
    one = ev.CostLatency(cost_multiples=[0, 1, 2], sharpe_by_cost=[2.0, 1.0, -1.0])
    assert draw(one).says == "The edge is gone at 1.5× the cost assumed."


def test_the_first_wide_intervals_of_a_canary_run_out_of_the_frame() -> None:
    n = 40
    wide = 1e6 / np.arange(1, n + 1) ** 3
    one = ev.CanaryProcess(ts_ns=made.days(n), mu=np.ones(n), mu_low=-wide, mu_high=wide, mu0=1.0)
    body = drawn(one)
    assert "1,000,000" not in body and "1M" not in re.findall(r'class="yl"[^>]*>([^<]*)', body)


def test_decisions_have_a_sign_of_their_own_not_only_a_colour() -> None:
    body = drawn(made.canary())
    assert "■ hold" in body and "▲ escalate" in body
    assert "▼ rolled back" in drawn(made.timeline())


@pytest.mark.parametrize("folds", [1, 2, 60])
def test_any_number_of_folds_fits(folds: int) -> None:
    assert f"of {folds} fold" in drawn(made.walk_forward(folds))

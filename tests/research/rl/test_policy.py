"""Policies are arrays: the same action every time, read back from a file, refused when broken."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hft.core.errors import ConfigError, DataError
from hft.research.rl.adapter import PolicyAlpha
from hft.research.rl.policy import ArrayPolicy

MANIFEST = SimpleNamespace(alpha_id="rl_quotes", tier="RL")


def drawn(*shape: int) -> ArrayPolicy:
    stream = np.random.Generator(np.random.Philox(1))
    zero = ArrayPolicy.zeros(*shape)
    return ArrayPolicy.unflat(shape, stream.standard_normal(len(zero.flat())))


def test_inference_is_that_of_the_formula_and_the_same_twice() -> None:
    policy = drawn(4, 6, 2)
    features = np.linspace(-2, 2, 4)
    (w1, b1), (w2, b2) = policy.layers
    wanted = np.tanh(np.tanh(features @ w1 + b1) @ w2 + b2)
    assert policy.act(features) == pytest.approx(wanted, abs=1e-14)
    assert policy.act(features).tobytes() == policy.act(list(features)).tobytes()
    assert policy.shape == (4, 6, 2)


def test_a_saved_policy_acts_the_same(tmp_path: Path) -> None:
    policy = drawn(9, 2)
    again = ArrayPolicy.load(policy.save(tmp_path / "policy.npz"))
    assert again.flat().tobytes() == policy.flat().tobytes() and again.shape == policy.shape


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x93NUMPY"])
def test_a_file_that_is_no_policy_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "policy.npz"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"policy\.npz"):
        ArrayPolicy.load(path)


def test_shapes_and_weights_that_do_not_fit_are_refused() -> None:
    with pytest.raises(DataError, match="19 weights"):
        ArrayPolicy.unflat((9, 2), np.zeros(19))
    with pytest.raises(DataError, match="no number"):
        ArrayPolicy.unflat((1, 1), [np.nan, 0.0])
    with pytest.raises(DataError, match="another shape"):
        ArrayPolicy(((np.zeros((2, 3)), np.zeros(3)), (np.zeros((2, 1)), np.zeros(1))))
    with pytest.raises(DataError, match="no layer"):
        ArrayPolicy(())


def test_without_a_model_the_score_is_the_mean_of_the_fields() -> None:
    alpha = PolicyAlpha(MANIFEST, ("a", "b"))
    assert alpha.update(a=0.2, b=0.4, c=9.0) == pytest.approx(0.3)
    assert alpha.get_signal() == pytest.approx(0.3) and alpha.bad_values == 0


def test_bad_values_count_as_zero_and_are_counted() -> None:
    alpha = PolicyAlpha(MANIFEST, ("a", "b"))
    for tick in ({"a": 0.5}, {"a": None, "b": 0.5}, {"a": "x", "b": float("nan")}):
        alpha.update(**tick)
    assert alpha.bad_values == 4 and alpha.get_signal() == 0.0
    alpha.reset()
    assert alpha.bad_values == 0 and alpha.get_signal() == 0.0


@given(st.floats(allow_nan=True, allow_infinity=True), st.floats(0.01, 100))
def test_a_score_is_clipped_and_divided_by_the_clip(raw: float, clip: float) -> None:
    alpha = PolicyAlpha(MANIFEST, ("a",), lambda features: raw, clip=clip)
    score = alpha.update(a=0.0)
    assert -1.0 <= score <= 1.0
    if np.isfinite(raw) and abs(raw) <= clip:
        assert score == pytest.approx(raw / clip)


def test_a_policy_of_arrays_is_a_model() -> None:
    policy = drawn(2, 1)
    alpha: Any = PolicyAlpha(MANIFEST, ("a", "b"), policy.act)
    assert alpha.update(a=1.0, b=-1.0) == pytest.approx(float(policy.act([1.0, -1.0])[0]))
    for wrong in ({"clip": 0.0}, {"clip": float("nan")}):
        with pytest.raises(ConfigError, match="clip"):
            PolicyAlpha(MANIFEST, ("a",), **wrong)
    with pytest.raises(ConfigError, match="field"):
        PolicyAlpha(MANIFEST, ())

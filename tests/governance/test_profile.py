"""Profiles: thresholds are data, flags only tighten, and the three shipped ones agree in shape."""

import re
from pathlib import Path

import pytest

from hft.core.errors import ConfigError
from hft.governance.profile import ADVICE, NAMES, Profile
from hft.settings import read_profile

ROOT = Path(__file__).resolve().parents[2]


def profile(name: str) -> Profile:
    return Profile.from_dict(read_profile(name), name)


def test_every_profile_answers_for_every_threshold() -> None:
    keys = {name: set(profile(name).values) for name in NAMES}
    assert keys["standard"] == keys["tier1"] == keys["base"]


def test_the_hash_follows_the_thresholds() -> None:
    one = profile("standard")
    assert one.hash == profile("standard").hash
    assert one.hash != one.replace({"gate_c.dsr_min": 0.96}).hash
    assert len({profile(name).hash for name in NAMES}) == 3


def test_a_flag_tightens_a_profile_but_never_loosens_it() -> None:
    standard = profile("standard")
    assert standard.replace({"gate_c.dsr_min": 0.99}).get("gate_c.dsr_min") == 0.99
    assert standard.replace({"gate_c.pbo_max": 0.1}).get("gate_c.pbo_max") == 0.1
    for looser in ({"gate_c.dsr_min": 0.5}, {"gate_c.pbo_max": 0.9}, {"gate_c.pbo_blocks": 4}):
        with pytest.raises(ConfigError, match="only tightens the profile standard"):
            standard.replace(looser)


def test_base_may_be_set_either_way() -> None:
    assert (
        profile("base").replace({"gate_c.sharpe_oos_min": -1.0}).get("gate_c.sharpe_oos_min")
        == -1.0
    )


def test_an_unknown_threshold_names_the_one_that_was_meant() -> None:
    with pytest.raises(ConfigError, match=r"did you mean gate_c\.dsr_min\?"):
        profile("standard").replace({"gate_c.drs_min": 0.97})


def test_a_threshold_of_another_kind_is_refused() -> None:
    with pytest.raises(ConfigError, match="another kind"):
        profile("standard").replace({"gate_c.dsr_min": "high"})


def test_tier1_asks_more_than_standard_wherever_they_differ() -> None:
    standard, tier1 = profile("standard"), profile("tier1")
    for key, value in tier1.values.items():
        if value != standard.get(key) and key.endswith(("_min", "_max")):
            better = (
                value > standard.get(key) if key.endswith("_min") else value < standard.get(key)
            )
            assert better, key


def test_every_threshold_is_read_by_somebody() -> None:
    source = "".join(path.read_text() for path in sorted((ROOT / "hft").rglob("*.py")))
    # The two ends of the volatility ratio are read in one line.
    keys = {
        re.sub(r"(volatility_ratio)_(min|max)", r"\1_", key) for key in profile("standard").values
    }
    assert not [key for key in keys if key.split(".")[-1] not in source]


@pytest.mark.parametrize(
    "value", [".nan", "high", float("nan"), float("inf"), [1.0, "x"], {"a": 1}]
)
def test_a_threshold_that_is_no_number_never_decides(value: object) -> None:
    with pytest.raises(ConfigError, match=r"mine: gate_c\.dsr_min: .* is no number"):
        Profile.from_dict({"profile": "base", "gate_c": {"dsr_min": value}}, "mine")
    with pytest.raises(ConfigError):
        profile("base").replace({"gate_c.dsr_min": value})


def test_a_profile_states_each_threshold_and_no_other() -> None:
    known = profile("standard").values.keys()
    written = read_profile("base")
    assert Profile.from_dict(written, "mine", known).values == profile("base").values
    gate = written["gate_c"]
    with pytest.raises(ConfigError, match=r"gate_c\.drs_min: no such threshold; did you mean"):
        Profile.from_dict({**written, "gate_c": {**gate, "drs_min": 0.1}}, "mine", known)
    short = {key: value for key, value in gate.items() if key != "dsr_min"}
    with pytest.raises(ConfigError, match=r"gate_c\.dsr_min: is missing"):
        Profile.from_dict({**written, "gate_c": short}, "mine", known)


def test_advice_that_a_profile_does_not_give_makes_it_no_looser() -> None:
    base, strict = (Profile.from_dict(read_profile(name), name) for name in ("base", "standard"))
    assert base.get("gate_c.series_level") is not None and strict.get("gate_c.series_level") is None
    assert strict.looser_than(base, ("gate_a", "gate_b", "gate_c", "gate_f")) == []
    assert not {key for key, _, _ in strict.looser_than(base)} & set(ADVICE)

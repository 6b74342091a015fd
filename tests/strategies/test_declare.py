"""Declaring a strategy: typed parameters, named state, wake-ups; mistakes get a sentence."""

from typing import Any

import numpy as np
import pytest

from hft.core.codes import WakeCause
from hft.core.errors import ConfigError
from hft.strategies.base import TRACKED_MAX, Strategy, duration_ns, record_of, strategy
from hft.strategies.registry import SHIPPED, shipped

pytestmark = pytest.mark.nojit

CAP = 7


def body(view: Any, order: Any, p: Any, s: Any) -> None:
    order.quote(0, 1, CAP)


def declared(**given: Any) -> Strategy:
    values: dict[str, Any] = {"every": "100ms", **given}
    made: Strategy = strategy(**values)(body)
    return made


PARAMS = {"half": 1.5, "lots": 2, "on": True, "curve": [1.0, 2.0]}


def test_parameters_keep_the_kind_they_were_declared_with() -> None:
    quoted = declared(params=PARAMS).with_params({"half": "2", "lots": "3", "on": "false"})
    assert quoted.params == {"half": 2.0, "lots": 3, "on": False, "curve": [1.0, 2.0]}
    assert isinstance(quoted.params["half"], float) and quoted.params["on"] is False
    assert declared(params=PARAMS).with_params({"lots": 4.0}).params["lots"] == 4


def test_a_copy_with_other_parameters_leaves_the_first_as_it_was() -> None:
    first = declared(params=PARAMS)
    first.with_params({"lots": 9})
    assert first.params["lots"] == 2 and first.with_params(None) is first


@pytest.mark.parametrize(
    ("name", "value", "kind"),
    [
        ("lots", 2.5, "int"),
        ("lots", "x", "int"),
        ("half", "wide", "float"),
        ("on", "maybe", "bool"),
    ],
)
def test_a_value_of_another_kind_is_refused(name: str, value: Any, kind: str) -> None:
    with pytest.raises(ConfigError, match=f"{name}=.* is not a {kind}"):
        declared(params=PARAMS).with_params({name: value})


def test_an_unknown_parameter_lists_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="no parameter 'lot'; it has: curve, half, lots, on"):
        declared(params=PARAMS).with_params({"lot": 1})
    with pytest.raises(ConfigError, match="it has: none"):
        declared().with_params({"lot": 1})


def test_records_hold_numbers_and_arrays_of_fixed_length() -> None:
    row = record_of({"a": 1, "b": 2.5, "c": [0.0] * 3, "d": np.array([1, 2]), "e": True})
    assert [str(row.dtype[name]) for name in "ab"] == ["int64", "float64"]
    assert row.dtype["c"].shape == (3,) and row.dtype["d"].base == np.int64
    assert row[0]["e"] == 1 and row[0]["d"].tolist() == [1, 2]


@pytest.mark.parametrize("value", ["text", [], None, {"a": 1}])
def test_a_field_that_is_no_number_is_refused_by_name(value: Any) -> None:
    with pytest.raises(ConfigError, match="field 'odd'"):
        record_of({"odd": value})


def test_only_state_fields_can_be_tracked_and_not_too_many() -> None:
    assert declared(state={"fair": 0.0}, track=("fair",)).track == ("fair",)
    with pytest.raises(ConfigError, match=r"track='far' is not a state field; have \['fair'\]"):
        declared(state={"fair": 0.0}, track=("far",))
    many = {f"s{k}": 0.0 for k in range(TRACKED_MAX + 1)}
    with pytest.raises(ConfigError, match=f"at most {TRACKED_MAX}"):
        declared(state=many, track=tuple(many))


DURATIONS = [
    ("250us", 250_000), ("100ms", 10**8), ("1s", 10**9), ("2m", 12 * 10**10), ("1h", 36 * 10**11),
    ("0.5s", 5 * 10**8), (1_000, 1_000), (None, 0), ("7ns", 7), (42, 42),
]  # fmt: skip


@pytest.mark.parametrize(("text", "ns"), DURATIONS)
def test_a_duration_is_read(text: Any, ns: int) -> None:
    assert duration_ns(text) == ns


@pytest.mark.parametrize("text", ["fast", "10 parsecs", "ms", "0ms", "-1s", ""])
def test_a_text_that_is_no_duration_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ConfigError, match=r"every=.* (is not a duration such as|is shorter)"):
        duration_ns(text)


@pytest.mark.parametrize("text", ["100", " 2.5 ", "0"])
def test_a_text_without_a_unit_is_asked_for_one(text: str) -> None:
    with pytest.raises(ConfigError, match=f"has no unit; did you mean {text.strip()}ms"):
        declared(every=text)


class Moody:
    def __init__(self, mood: str, lots: int) -> None:
        self.mood, self.lots = mood, lots


def test_a_class_takes_text_and_a_compiled_body_does_not() -> None:
    given = {"mood": "calm", "lots": 1}
    moody = strategy(every="1s", params=given)(Moody).with_params({"mood": "wild", "lots": "2"})
    assert moody.params == {"mood": "wild", "lots": 2}
    assert moody.body(**moody.params).mood == "wild"
    assert moody.params_row().dtype.names == ("lots",), "what a kernel may read has no text"
    with pytest.raises(ConfigError, match=r"field 'mood'.*; a class strategy may take text"):
        declared(params=given).params_row()


def test_wake_ups_are_a_mask_of_causes() -> None:
    made = declared(on=("timer", "fill", "trade"))
    assert made.wakes_on == sum(1 << c for c in (WakeCause.TIMER, WakeCause.FILL, WakeCause.TRADE))
    events = declared(every=None, on=("timer", "book"))
    assert events.every_ns == 0 and events.wakes_on == 1 << WakeCause.BOOK
    assert declared(every=None, on="trade").every_ns == 0


@pytest.mark.parametrize("on", ["fill", ("timer", "fill"), ("fill", "fill")])
def test_a_timer_wakes_whatever_else_does(on: Any) -> None:
    made = declared(every="100ms", on=on)
    assert made.every_ns == 10**8
    assert made.wakes_on == 1 << WakeCause.TIMER | 1 << WakeCause.FILL
    assert declared(every="1s", on=()).wakes_on == 1 << WakeCause.TIMER


@pytest.mark.parametrize("every", [-1, -0.5, float("nan"), float("inf")])
def test_a_timer_that_goes_back_is_refused(every: Any) -> None:
    with pytest.raises(ConfigError, match="is not a number of ns from 0 to 73 years"):
        declared(every=every)


@pytest.mark.parametrize("count", [0, -1, "1", 1.0, True])
def test_a_strategy_listens_to_one_instrument_or_more(count: Any) -> None:
    with pytest.raises(ConfigError, match=r"instruments=.* is not a whole number from 1 on"):
        declared(instruments=count)


def test_a_strategy_that_would_never_wake_is_refused() -> None:
    with pytest.raises(ConfigError, match="'body': say every='100ms' or on='book'"):
        strategy()(body)
    with pytest.raises(ConfigError, match="on='tick' is not one of timer, fill"):
        declared(on=("tick",))


def test_source_and_closure_constants_are_part_of_what_a_run_is() -> None:
    made = declared()
    assert "order.quote(0, 1, CAP)" in made.source
    assert made.closure == {"CAP": "7"}


def test_a_body_without_source_is_refused() -> None:
    scope: dict[str, Any] = {}
    exec("def ghost(view, order, p, s):\n    pass\n", scope)
    ghost: Strategy = strategy(every="1s")(scope["ghost"])
    with pytest.raises(ConfigError, match="'ghost' has no retrievable source"):
        _ = ghost.source


def test_shipped_strategies_are_found_by_name_and_others_list_them() -> None:
    assert [shipped(name).name for name in SHIPPED] == list(SHIPPED)
    with pytest.raises(ConfigError, match="no shipped strategy 'magic'; there are two_sided"):
        shipped("magic")


@pytest.mark.parametrize("number", [200, 5, 0.005, 999.0])
def test_a_bare_number_that_could_only_be_short_of_its_unit_is_refused(number: float) -> None:
    """200 is 200 ns: a run of it wakes five million times a second of the tape."""
    said = f"has no unit, and a number is ns; write every='{number}ms'"
    with pytest.raises(ConfigError, match=said):
        declared(every=number)
    assert declared(every=1_000).every_ns == 1_000

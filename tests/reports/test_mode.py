import pytest

from hft.reports.mode import fault_words, mode_words

LEG = {"kind": "constant", "base_ns": 5_000_000, "spread_ns": 0, "table": []}
LEGS = ("entry", "amend", "cancel", "response")


@pytest.mark.parametrize(
    ("latency", "words"),
    [
        ({}, "none: orders and answers arrive at once"),
        (dict.fromkeys(LEGS, LEG), "5 ms each way"),
        (dict.fromkeys(LEGS, LEG | {"base_ns": 0}), "none: orders and answers arrive at once"),
        ({"entry": LEG, "response": LEG | {"base_ns": 250_000}}, "entry 5 ms, response 0.25 ms"),
        (
            {"entry": LEG | {"kind": "uniform", "spread_ns": 1_000_000}},
            "entry 5 ms to 6 ms, seeded",
        ),
        ({"entry": LEG | {"kind": "sampled", "table": [1, 2, 3]}}, "entry 3 samples, seeded"),
        ({"entry": LEG | {"kind": "interpolated", "table": [1, 2]}}, "entry recorded, 1 points"),
    ],
)
def test_latency_is_said_by_leg(latency: dict[str, dict[str, object]], words: str) -> None:
    assert mode_words({"latency": latency})["latency"] == words


def test_queue_fills_and_fees_are_said() -> None:
    fees = {"maker_bps": "-0.5", "per_lot": "0.85"}
    words = mode_words({"queue": "fifo", "fills": "whole", "fees": fees})
    assert words["fees"] == "maker -0.5 bps, 0.85 per lot"
    assert words["queue"].startswith("exact") and words["fills"].startswith("whole")
    assert mode_words({})["fees"] == "the instrument's own"


@pytest.mark.parametrize(
    ("charged", "words"),
    [
        ({"A": (2, 5)}, "the instrument's own: maker 2 bps, taker 5 bps"),
        ({"A": (0, 0), "B": (0, 0)}, "none: neither the venue nor the instrument names any"),
        ({"A": (2, 5), "B": (0, 0)}, "the instruments' own: A maker 2 bps, taker 5 bps, B none"),
    ],
)
def test_fees_of_the_instruments_are_said(charged: dict[str, tuple[int, int]], words: str) -> None:
    assert mode_words({}, charged=charged)["fees"] == words


def test_a_queue_that_cannot_be_exact_says_where_and_what_is_used_instead() -> None:
    assert "(not BAC: risk averse" in mode_words({"queue": "fifo"}, ["BAC"])["queue"]
    assert "BAC" not in mode_words({"queue": "prob_log"}, ["BAC"])["queue"]


def test_the_rule_of_crossed_levels_is_said_where_it_is_not_the_usual_one() -> None:
    assert "states them again" in mode_words({"crossed": "restated"})["crossed levels"]
    assert "crossed levels" not in mode_words({"crossed": "returns"})


def test_the_rule_of_taken_liquidity_is_said_where_there_is_one() -> None:
    assert "until its level falls" in mode_words({"fills": "capped", "taken": "stays"})["fills"]
    assert "as if refilled" in mode_words({"fills": "capped", "taken": "restated"})["fills"]
    assert "took" not in mode_words({"fills": "whole", "taken": "stays"})["fills"]


def test_only_faults_that_can_happen_are_said() -> None:
    plan = {"reject": 0.0, "lost_ack": 0.25, "late_by_ns": 5, "down_ns": [0, 0]}
    assert fault_words(plan) == "lost ack 0.25 of messages"
    assert fault_words({"gap_ns": [10**9, 3 * 10**9]}) == "feed silent for 2 s"
    assert fault_words({}) == ""

"""A sample of the lists before Gate A; `make leak-lists` puts all of them there."""

import pytest

from tests.research.leakage.lists import expected, judged

LEAKS = {
    "next_return": "leak_label",
    "published_later": "data_future_rows",
    "next_mid": "prefix_invariance",
    "sparse_peek": "prefix_invariance",
    "session_totals": "prefix_invariance",
}
HONEST = ("slow_edge", "next_expiry", "held_for_long", "expanding_zscore")
BY_NAME = {case.name: case for case in (*judged.DATA_LEAKS, *judged.CODE_LEAKS, *judged.HONEST)}


@pytest.mark.soak
def test_gate_a_stops_a_sample_of_leaks_and_none_of_the_innocents() -> None:
    chosen = [BY_NAME[name] for name in (*LEAKS, *HONEST)]
    assert not any(case.recorded for case in chosen)
    found = {answer.name: answer for answer in judged.answers(chosen)}
    for name, line in LEAKS.items():
        words = dict(found[name].failed)
        assert line in words, f"{name}: {BY_NAME[name].about}"
        assert "row" in words[line]  # it tells where
    for name in HONEST:
        assert not found[name].failed and not found[name].refused, found[name]
    assert judged.complaints(found.values()) == []


def test_each_case_is_named_once_and_each_miss_is_a_case() -> None:
    names = [case.name for case in (*judged.DATA_LEAKS, *judged.CODE_LEAKS, *judged.HONEST)]
    assert len(names) == len(set(names)) == 132
    leaks = {case.name for case in (*judged.DATA_LEAKS, *judged.CODE_LEAKS)}
    assert set(expected.MISSED) <= leaks
    assert set(expected.STOPPED) <= set(names) - leaks
    assert all(expected.MISSED.values()) and all(expected.STOPPED.values())


def test_a_new_miss_and_a_cured_one_are_both_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judged, "MISSED", {"next_mid": "so"})
    monkeypatch.setattr(judged, "STOPPED", {})
    answer = judged.Answer("next_return", "leaks in labels", [], [], [], "", 0.0)
    stopped = [("leak_label", "it knows")]
    cured = judged.Answer("next_mid", "leaks in frames", stopped, [], [], "", 0.0)
    wronged = judged.Answer("slow_edge", "honest columns", stopped, [], [], "", 0.0)
    said = judged.complaints([answer, cured, wronged])
    assert [words.split()[0] for words in said] == ["next_return", "next_mid", "slow_edge"]
    assert judged.shares([answer, cured], [BY_NAME["next_return"], BY_NAME["next_mid"]]) == "1 of 2"

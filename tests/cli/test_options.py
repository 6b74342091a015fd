"""The options of `hft replay run` are those of `hft.replay`, and see the same settings."""

import inspect
import json
from pathlib import Path
from typing import Any

import pytest

import hft
from hft.api import replays
from hft.cli import app, options, reference
from hft.core.errors import ConfigError
from hft.runs.ingest import synthetic

# Said by an argument of the command line, or by the program itself.
OTHERWISE = {"tapes", "strategy", "progress"}
# What the command line spells out of one keyword.
PARTS = {"set_": "params"} | dict.fromkeys(
    ("latency", "queue", "fees", "taken", "crossed"), "venue"
)


def test_names_and_defaults_are_those_of_the_python_call() -> None:
    called = inspect.signature(hft.replay).parameters
    spelt = {PARTS.get(name, name) for name in options.REPLAY}
    assert spelt == set(called) - OTHERWISE
    for name, (_, default) in options.REPLAY.items():
        assert default == called[PARTS.get(name, name)].default


def test_an_option_given_twice_in_a_list_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    fees = ["--fees", "maker_bps=1,maker_bps=2"]
    assert app.run(["replay", "run", "synthetic", "-s", "two_sided", *fees]) == 64
    assert "maker_bps is given twice" in capsys.readouterr().err


SETTINGS = """
venue: {fills: whole}
fees: {maker_bps: -1, taker_bps: 3}
HFT_LIMITS: contract
HFT_GATEWAY_STARTUP_HOLDOFF_S: 5
HFT_DEDUP_WINDOW_SIZE: 77
HFT_ORDER_QUEUE_SIZE: 512
replay: {record: summary, out: elsewhere}
max_position_size: 3
"""


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ((), {}),
        (("--latency", "1ms"), {"venue": hft.Venue("1ms")}),
        (("--queue", "prob_log"), {"venue": hft.Venue(queue="prob_log")}),
        (("--fees", "taker_bps=9"), {"venue": hft.Venue(fees={"taker_bps": 9})}),
        (("--taken", "restated"), {"venue": hft.Venue(taken="restated")}),
        (("--venue", "binance_usdm"), {"venue": "binance_usdm"}),
        (("--set", "limit=3"), {"params": {"limit": 3}}),
    ],
)
def test_a_setting_holds_for_every_spelling_and_for_both_doors(
    words: tuple[str, ...],
    named: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.yaml").write_text(SETTINGS)
    monkeypatch.setenv("GATEWAY_CONFIG", "mine.yaml")
    synthetic(seed=3, out=Path("tapes"), events=4_000)
    assert app.run(["--json", "replay", "run", "tapes", "-s", "two_sided", *words]) == 0
    done = json.loads(capsys.readouterr().out)
    assert Path(done["path"]).parent.name == "elsewhere" and done["record"] == "summary"
    run = hft.replay("tapes", "two_sided", **named)
    assert str(run.path) == done["path"], "the same settings make the same run, which is sealed"
    venue = run.config["venue"]
    assert venue["fills"] == "whole"
    assert venue["fees"] == {"maker_bps": "-1", "taker_bps": "9" if "--fees" in words else "3"}
    assert run.config["limits"]["name"] == "contract*"
    assert run.config["limits"]["max_position_size"] == 3
    assert run.config["gateway"] == {
        "dedup_window": 77,
        "holdoff_ns": 5_000_000_000,
        "order_queue": 512,
    }
    assert run.totals["reasons"]["203"] > 0, "the first seconds are a hold-off"
    assert run.verify()


def test_what_is_said_wins_over_the_setting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.yaml").write_text(SETTINGS)
    monkeypatch.setenv("GATEWAY_CONFIG", "mine.yaml")
    synthetic(seed=3, out=Path("tapes"), events=4_000)
    venue = hft.Venue(fills="capped", fees={"maker_bps": 0})
    run = hft.replay("tapes", "two_sided", venue=venue, limits="research", out="runs")
    assert run.config["venue"]["fills"] == "capped"
    assert run.config["venue"]["fees"] == {"maker_bps": "0", "taker_bps": "3"}
    assert run.config["limits"]["name"] == "research*" and run.path.parent.name == "runs"


def test_an_option_of_one_value_given_twice_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    tried = []
    for name, command in reference.commands():
        for option in command.params:
            if option.param_type_name == "argument" or option.multiple or option.is_flag:
                continue
            flag = option.opts[0]
            tried.append(f"{name} {flag}")
            assert app.run([*name.split()[1:], flag, "1", flag, "2"]) == 64, tried[-1]
            assert f"{flag} is given twice; keep one" in capsys.readouterr().err, tried[-1]
    assert {"hft --config", "hft replay run --limits", "hft replay relimit --limits"} <= set(tried)
    assert len(tried) > 50


def test_an_option_of_a_list_may_be_repeated(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--set", "half_ticks=1", "--set", "nosuch=2"]
    assert app.run(["replay", "run", "synthetic", "-s", "market_making", *words]) == 78
    assert "no parameter 'nosuch'" in capsys.readouterr().err


@pytest.mark.parametrize("wrong", [["-s", "nosuch"], ["-s", "two_sided", "--set", "nosuch=1"]])
def test_a_strategy_that_is_not_there_is_refused_before_a_market_is_made(
    wrong: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(replays, "open_tapes", lambda *_, **__: pytest.fail("made a market"))
    assert app.run(["replay", "run", "synthetic", *wrong]) == 78
    assert "nosuch" in capsys.readouterr().err
    with pytest.raises(ConfigError, match="nosuch"):
        hft.replay("synthetic", "nosuch")

"""One validation end to end, in a real workspace: what it decides and what it leaves behind."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from validation_world import made_desk

from hft.api.search import search
from hft.api.validation import validate
from hft.audit.journal import read
from hft.cli.app import run
from hft.core.errors import ConfigError, DataError, GovernanceError, ValidationError
from hft.governance.ledger.ledger import Ledger
from hft.research.data.planted import write

pytestmark = pytest.mark.usefixtures("shared_judgements")
DAYS = 45


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with one alpha and planted bars; tests that change it take a copy."""
    root = made_desk(tmp_path_factory.mktemp("desk") / "desk")
    write(root / "data" / "planted", 0.05, days=DAYS, seed=1)
    return root


@pytest.fixture
def copy(desk: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(desk, tmp_path / "copy", symlinks=True))


def judge(root: Path, **given: Any) -> Any:
    """A quick validation: one fresh process, which only `base` may be asked for."""
    chosen = {"profile": "base", "skip_gate_b_tests": True} | given
    if chosen["profile"] == "base":
        chosen["set"] = {"gate_b.runs_min": 1.0}
    return validate("mine", str(root / "data" / "planted"), root=root, **chosen)


@pytest.fixture(scope="module")
def judged(desk: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy in which the alpha was validated."""
    root = tmp_path_factory.mktemp("judged") / "desk"
    return Path(shutil.copytree(desk, root, symlinks=True))


@pytest.fixture(scope="module")
def done(judged: Path) -> Any:
    """The validation that most tests look at, with everything in it."""
    return validate("mine", str(judged / "data" / "planted"), root=judged, profile="base")


def gate_rows(root: Path) -> list[dict[str, Any]]:
    return [
        row["row"] for row in read(root / ".state" / "audit") if row["table"] == "alpha_gate_log"
    ]


def test_all_three_gates_run_and_their_rows_are_in_the_audit(judged: Path, done: Any) -> None:
    assert [gate.gate for gate in done.gates] == ["A", "B", "C"]
    rows = [row for row in gate_rows(judged) if row["run_id"] == done.run_id]
    assert [(row["gate"], row["verdict"]) for row in rows] == [
        (gate.gate, gate.verdict.value) for gate in done.gates
    ]
    assert {row["evidence_digest"] for row in rows} == {g.evidence_digest for g in done.gates}
    assert {row["trial_id"] for row in rows} == {done.trial_id}


def test_the_reports_are_whole_and_say_what_was_decided(done: Any) -> None:
    names = {path.name for path in done.path.iterdir()}
    assert names == {
        "feasibility_report.json",
        "correctness_report.json",
        "backtest_report.json",
        "scorecard.json",
        "manifest.json",
        "report.html",
    }
    card = json.loads((done.path / "scorecard.json").read_text())
    assert card["sharpe_oos"] == done.scorecard.values["sharpe_oos"]
    assert card["n_trials"] == 12 and card["data_fingerprint"]
    assert "net of 0.2 bps to take" in (done.path / "report.html").read_text()
    report = json.loads((done.path / "backtest_report.json").read_text())
    assert report["verdict"] == done.gate("C").verdict.value


def test_page_and_scorecard_know_nothing_of_when_and_where(judged: Path, done: Any) -> None:
    for name in ("report.html", "scorecard.json", "backtest_report.json"):
        text = (done.path / name).read_text()
        assert str(judged) not in text and done.run_id not in text, name


def test_every_threshold_of_the_sweep_is_a_trial_with_its_returns(judged: Path, done: Any) -> None:
    ledger = Ledger.open(judged / "research" / "ledger")
    trials = ledger.trials()
    assert trials.height >= 12 and not ledger.verify()
    vectors = ledger.vectors(trials["trial_id"])
    assert {len(vector) for vector in vectors.values()} == {DAYS}
    assert done.trial_id in set(trials["trial_id"])


def test_the_same_validation_again_is_a_repeat_with_the_same_evidence(copy: Path) -> None:
    first, second = judge(copy), judge(copy)
    assert "no charge" in second.price and "no charge" not in first.price
    assert [g.evidence_digest for g in first.gates] == [g.evidence_digest for g in second.gates]
    pages = [(one.path / "report.html").read_text() for one in (first, second)]
    assert first.counted in pages[0]
    strip = [
        page.replace(one.counted, "") for page, one in zip(pages, (first, second), strict=True)
    ]
    assert Ledger.open(copy / "research" / "ledger").trials().height == 12
    assert strip[0] == strip[1]


def test_the_price_is_shown_before_anything_counts_and_can_be_declined(copy: Path) -> None:
    seen: list[str] = []

    def no(price: Any) -> bool:
        seen.append(price.line)
        return False

    with pytest.raises(GovernanceError, match="price was declined"):
        judge(copy, agree=no)
    assert seen and "trials 1 to 12 of family" in seen[0]
    assert Ledger.open(copy / "research" / "ledger").trials().height == 0
    assert gate_rows(copy)[-1]["details"].count("declined") == 1


def test_what_came_of_the_price_is_what_gate_c_judges_by(copy: Path) -> None:
    found = judge(copy)
    view = Ledger.open(copy / "research" / "ledger").family(label_family="return")
    assert f"effective N {view.effective:.1f}, hurdle SR {view.hurdle:.2f}" in found.counted
    assert found.scorecard.values["n_effective"] == pytest.approx(view.effective)
    assert found.to_json()["counted"] == found.counted == found.document.price


VALIDATE = ["alpha", "validate", "mine", "--data", "data/planted", "--profile", "base"]
VALIDATE += ["--skip-gate-b-tests"]


def called(root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own, where nobody can be asked."""
    command = [sys.executable, "-m", "hft.cli.app", *VALIDATE, *words]
    return subprocess.run(
        command, cwd=root, capture_output=True, text=True, stdin=subprocess.DEVNULL
    )


def test_where_nobody_can_be_asked_a_sweep_needs_yes(
    copy: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Refused as a usage error with the price and nothing charged; what is paid for needs none."""
    monkeypatch.chdir(copy)
    for more in ((), ("--json",)):
        refused = called(copy, *more)
        assert refused.returncode == 64, refused.stderr
        said = json.loads(refused.stdout)["error"] if more else refused.stderr
        assert "--yes is needed where nobody can be asked" in said
        assert said.count("trials 1 to 12 of family") == 1 and "hurdle SR" in said
        assert Ledger.open(copy / "research" / "ledger").trials().height == 0
    ran = called(copy, "--yes", "--json")
    assert ran.returncode == 2, ran.stderr
    told = json.loads(ran.stdout)
    assert told["verdict"] != "PASS" and (copy / told["path"]).is_dir()
    assert Ledger.open(copy / "research" / "ledger").trials().height == 12
    for more in ((), ("--json",)):
        capsys.readouterr()
        assert run([*VALIDATE, *more]) == 2
        assert "no charge" in capsys.readouterr().out
    assert run([*VALIDATE, "--no-such"]) == 64


def test_a_search_and_another_horizon_count_as_tries_on_the_same_prices(copy: Path) -> None:
    data = str(copy / "data" / "planted")
    searched = search(data, trials=6, root=copy).result["evaluated"]
    first = judge(copy)
    assert first.scorecard.values["n_trials"] == 12 + searched
    code = copy / "research" / "alphas" / "mine" / "impl.py"
    text = code.read_text()
    moved = text.replace("60_000_000_000", "60_000_000_001")
    assert moved != text
    code.write_text(moved)
    assert judge(copy).scorecard.values["n_trials"] == 24 + searched


def test_a_leak_stops_the_alpha_and_costs_one_trial_since_it_saw_the_rows(copy: Path) -> None:
    code = copy / "research" / "alphas" / "mine" / "impl.py"
    text = code.read_text()
    leak = (
        "    def signals(self, frame):\n"
        "        import polars as pl\n"
        "        flow = frame['ofi']\n"
        "        return (flow.shift(-1) / flow.abs().mean()).fill_null(0.0).to_numpy()\n\n"
        "    def update("
    )
    code.write_text(text.replace("    def update(", leak, 1))
    found = judge(copy)
    assert [gate.gate for gate in found.gates] == ["A"] and found.verdict.value == "FAIL"
    (trial,) = Ledger.open(copy / "research" / "ledger").trials().to_dicts()
    assert found.scorecard is None and found.trial_id == trial["trial_id"]
    assert (trial["source"], trial["n_obs"], trial["sharpe_per_period"]) == ("validate", 0, None)
    assert "one trial was counted, without returns" in found.price == found.document.price
    assert "prefix_invariance" in {c.id for c in found.gates[0].checks if c.verdict == "FAIL"}
    assert gate_rows(copy)[-1]["verdict"] == "FAIL"
    judge(copy)
    assert Ledger.open(copy / "research" / "ledger").trials().height == 1, "a repeat is no charge"


def test_a_ledger_that_lost_rows_fails_gate_a_once_its_head_was_anchored(copy: Path) -> None:
    judge(copy)
    (chain,) = (copy / "research" / "ledger").glob("*.jsonl")
    chain.write_bytes(b"".join(chain.read_bytes().splitlines(keepends=True)[:-1]))
    found = judge(copy)
    assert found.verdict.value == "FAIL"
    assert "LEDGER_ROLLED_BACK" in found.gates[0].reason


def test_standard_says_how_much_history_is_missing_and_still_shows_the_figures(copy: Path) -> None:
    found = judge(copy, profile="standard")
    assert found.verdict.value == "INSUFFICIENT"
    assert f"{252 - DAYS} more days" in " ".join(found.missing)
    assert found.gate("C") is not None and found.scorecard is not None


def test_without_its_tests_an_alpha_is_undecided_and_its_page_says_what_fee_it_paid(
    copy: Path,
) -> None:
    found = judge(copy, taker_bps=0.0)
    assert "net of 0 bps to take" in (found.path / "report.html").read_text()
    assert found.gate("B").verdict.value == "INSUFFICIENT"
    assert any("own tests" in text for text in found.missing)


def test_failing_tests_of_the_alpha_fail_gate_b_and_gate_c_does_not_run(copy: Path) -> None:
    test = copy / "research" / "alphas" / "mine" / "tests" / "test_logic.py"
    test.write_text("def test_it() -> None:\n    assert 1 == 2\n")
    found = judge(copy, skip_gate_b_tests=False)
    assert found.verdict.value == "FAIL" and found.gate("C") is None
    assert "tests fail: " in found.gate("B").reason
    assert "test_logic.py::test_it - assert 1 == 2" in found.gate("B").reason


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"id": "nobody"}, ValidationError, "there is no such alpha"),
        ({"data": "nowhere/*.parquet"}, DataError, "no such file"),
        ({"profile": "lax"}, ConfigError, "standard"),
        ({"engine": "magic"}, ConfigError, "auto, replay, vector"),
        ({"engine": "replay"}, DataError, "needs tapes"),
        ({"set": {"gate_c.nothing": 1.0}}, ConfigError, "no such threshold"),
        ({"is_oos_split": 1.5}, ConfigError, "between 0 and 1"),
        ({"now": "2026-01-01T00:00Z"}, ConfigError, "rehearsal"),
    ],
)
def test_wrong_input_is_one_clear_sentence(
    copy: Path, change: dict[str, Any], error: type[Exception], words: str
) -> None:
    given = {"id": "mine", "data": str(copy / "data" / "planted"), "profile": "base"} | change
    with pytest.raises(error, match=words):
        validate(given.pop("id"), given.pop("data"), root=copy, **given)


def test_a_decision_that_could_not_be_made_is_in_the_audit_too(copy: Path) -> None:
    with pytest.raises(DataError):
        validate("mine", str(copy / "nowhere"), root=copy)
    row = gate_rows(copy)[-1]
    assert (row["alpha_id"], row["gate"], row["verdict"]) == ("mine", "A", "FAIL")
    assert "no such file" in row["details"]


def test_an_alpha_that_nobody_has_leaves_no_row_no_chain_and_no_pack(
    copy: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(copy)
    before = list(read(copy / ".state" / "audit"))
    for words in (
        ["alpha", "validate", "mien", "--data", "data/planted", "--yes"],
        ["alpha", "why", "mien"],
    ):
        assert run(words) == 65
        assert "did you mean 'mine'?" in capsys.readouterr().err
    assert list(read(copy / ".state" / "audit")) == before
    assert not list((copy / ".state").glob("validations/*.json"))
    with pytest.raises(DataError, match="no such file"):
        validate("mine", str(copy / "nowhere"), root=copy)
    for words in (["--alpha", "mien"], ["--alpha", "mine", "--alpha", "mien"]):
        assert run(["audit", "pack", *words, "--out", "z.zip"]) == 65
        assert "mien: no audit row is about it; did you mean 'mine'?" in capsys.readouterr().err
    assert not (copy / "z.zip").exists()
    assert run(["audit", "pack", "--alpha", "mine", "--out", "z.zip"]) == 0


def test_a_registry_that_is_away_is_no_verdict_about_the_alpha(
    copy: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(copy)
    monkeypatch.setenv("HFT_ALPHA_REGISTRY", str(tmp_path / "unmounted"))
    before = list(read(copy / ".state" / "audit"))
    assert run(["alpha", "validate", "mine", "--data", "data/planted", "--yes"]) == 69
    said = capsys.readouterr().err
    assert "unmounted: is not there" in said and "bring it back and ask again" in said
    assert list(read(copy / ".state" / "audit")) == before
    (tmp_path / "unmounted").mkdir()
    assert run(["alpha", "why", "mine"]) == 65, "nothing was ever decided about it"


def test_an_alpha_that_raises_is_named_with_the_row(copy: Path) -> None:
    code = copy / "research" / "alphas" / "mine" / "impl.py"
    text = code.read_text()
    raising = "        if self.seen == 500:\n            raise KeyError('x')\n"
    code.write_text(
        text.replace(
            "        self.flow = self.decay", raising + "        self.flow = self.decay", 1
        )
    )
    with pytest.raises(ValidationError, match=r"update\(\) raised KeyError.*row \d+"):
        judge(copy)
    assert not (copy / "research" / "experiments" / "validations" / "mine").exists()
    assert Ledger.open(copy / "research" / "ledger").trials()["n_obs"].to_list() == [0]


def test_an_alpha_is_shown_no_row_before_its_price_is_agreed_to(copy: Path) -> None:
    code = copy / "research" / "alphas" / "mine" / "impl.py"
    code.write_text(
        code.read_text().replace(
            "        self.flow = self.decay", "        1 / 0\n        self.flow = self.decay", 1
        )
    )
    with pytest.raises(GovernanceError, match="price was declined"):
        judge(copy, agree=lambda price: False)
    assert Ledger.open(copy / "research" / "ledger").trials().is_empty()
    with pytest.raises(ValidationError, match="ZeroDivisionError"):
        judge(copy)


def test_nan_signals_are_a_verdict_and_no_error(copy: Path) -> None:
    code = copy / "research" / "alphas" / "mine" / "impl.py"
    text = code.read_text()
    code.write_text(text.replace("        return self.signal", "        return float('nan')"))
    found = judge(copy)
    assert not found.passed and found.gate("B") is not None


def test_a_frame_in_memory_is_judged_like_its_file(copy: Path) -> None:
    frame = pl.read_parquet(copy / "data" / "planted" / "bars.parquet")
    whole = validate("mine", frame, root=copy, profile="base", skip_gate_b_tests=True)
    again = judge(copy)
    assert whole.scorecard.values["measures_digest"] == again.scorecard.values["measures_digest"]

"""What `hft alpha` prints beside its figures: reasons by gate, the next command, the same JSON."""

import json
import shlex
import shutil
from pathlib import Path

import pytest
from validation_world import made_desk

from hft.api.validation import validate
from hft.cli.alpha.canary import _measured
from hft.cli.alpha.output import criteria, typed
from hft.cli.app import run
from hft.governance.verdict import Check, Verdict
from hft.research.data.planted import write

pytestmark = pytest.mark.usefixtures("shared_judgements")
NARROW = 80


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace whose alpha was judged on thirty days, which prove nothing."""
    root = made_desk(tmp_path_factory.mktemp("judged") / "desk")
    write(root / "data" / "planted", 0.0, days=30, seed=1)
    data = str(root / "data" / "planted")
    validate("mine", data, root=root, profile="base", skip_gate_b_tests=True)
    return root


@pytest.fixture
def desk(judged: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    copy = Path(shutil.copytree(judged, tmp_path / "copy", symlinks=True))
    monkeypatch.chdir(copy)
    return copy


def said(capsys: pytest.CaptureFixture[str], code: int, *words: str) -> str:
    capsys.readouterr()
    assert run(["alpha", *words]) == code
    return capsys.readouterr().out


def test_reasons_are_a_line_for_each_criterion_with_its_gate() -> None:
    found = criteria(["C FAIL: sharpe_oos -2 is below 0; psr 0.1 is below 0.95", "no key: none"])
    assert found == [
        "  C FAIL         sharpe_oos -2 is below 0",
        "  C FAIL         psr 0.1 is below 0.95",
        "  no key: none",
    ]


def test_promote_shows_the_gates_in_order_and_the_decision_last(
    desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = said(capsys, 2, "promote", "mine").splitlines()
    gates = [line[2] for line in lines if line.startswith("  ")]
    assert gates == sorted(gates) and set(gates) == set("ABCDE")
    assert lines[-1].startswith("refused: weight 0, no file; not passed: ")
    told = [line for line in lines if "sharpe_oos" in line and line.startswith("  D")]
    assert len(told) == 1 and told[0].count("sharpe_oos") == 1, "a criterion stands there once"
    under = "C INSUFFICIENT it was judged under base, validate again with --profile standard"
    assert f"  {under}" in lines, "one reason is one line"
    found = json.loads(said(capsys, 2, "promote", "mine", "--json"))
    assert list(found["before"]) == ["A", "B", "C"]


def test_why_has_no_line_that_is_longer_than_a_terminal(
    desk: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    said(capsys, 2, "promote", "mine")
    monkeypatch.setattr("hft.cli.context.width", lambda: NARROW)
    lines = said(capsys, 0, "why", "mine").splitlines()
    assert max(map(len, lines)) <= NARROW
    criteria_ = [line.split()[:2] for line in lines if line.startswith("    ")]
    assert criteria_.count(["E", "INSUFFICIENT"]) > 3 and len(lines) > 20
    links = json.loads(said(capsys, 0, "why", "mine", "--json"))["links"]
    (proposal,) = [link for link in links if link["kind"] == "proposal"]
    assert proposal["words"] == "propose refused, weight 0"
    assert any(reason.startswith("E INSUFFICIENT: ") for reason in proposal["reasons"])


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (0, ("why", "mine")),
        (0, ("canary", "status")),
        (2, ("promote", "mine")),
        (0, ("pool",)),
        (0, ("experiments", "list")),
        (2, ("validate", "mine", "--data", "data/planted", "--profile", "base")),
    ],
)
def test_out_holds_what_json_prints(
    desk: Path, capsys: pytest.CaptureFixture[str], code: int, words: tuple[str, ...]
) -> None:
    printed = said(capsys, code, *words, "--json", "--out", "kept.json")
    assert Path("kept.json").read_text() == printed


def test_one_of_a_thing_is_no_plural(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, 0, "pool").startswith("alphas: 1\n")
    page = next(Path("research/experiments/comparisons").glob("*/report.html"))
    assert "Pool of 1 alpha<" in page.read_text()
    assert "1 alphas" not in page.read_text()


def commands(text: str) -> list[str]:
    """The lines behind `next:` that are commands."""
    after = text.partition("next:")[2]
    return [line.strip() for line in after.splitlines() if line.strip().startswith("hft ")]


@pytest.mark.parametrize("inside", [".", "research/alphas"])
def test_the_next_commands_of_a_scaffold_run_as_printed(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    inside: str,
) -> None:
    root = made_desk(tmp_path / "my desk")
    monkeypatch.chdir(root / inside)
    steps = commands(said(capsys, 0, "scaffold", "second"))
    assert [step.split()[1:3] for step in steps] == [
        ["data", "synth"],
        ["alpha", "try"],
        ["alpha", "validate"],
    ]
    write(root / "data" / "planted", 0.05, days=22, seed=1)
    again = commands(said(capsys, 0, "scaffold", "third"))
    assert again[0].startswith("hft alpha try third"), "the data is there by now"
    for step, code in ((again[0], 0), (f"{again[1]} --yes", 2)):
        assert run(shlex.split(step)[1:]) == code, step


def test_a_path_is_typed_from_where_one_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my desk").mkdir()
    monkeypatch.chdir(tmp_path / "my desk")
    assert typed(tmp_path / "my desk" / "data") == "data"
    assert typed(tmp_path / "other place") == "'../other place'"


@pytest.mark.parametrize(
    "words",
    [
        ("promote", "mines"),
        ("approve", "mines", "--memo", "memo.md"),
        ("canary", "rollback", "mines", "--reason", "typo"),
        ("vault", "mines", "--reason", "typo"),
        ("canary", "mines"),
        ("pool", "marginal", "--alpha-id", "mines"),
        ("try", "mines", "--data", "data/planted"),
        ("validate", "mines", "--data", "data/planted", "--yes"),
        ("shadow", "mines", "tapes"),
    ],
)
def test_an_alpha_that_is_nearly_called_so_is_named(
    desk: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    capsys.readouterr()
    assert run(["alpha", *words]) == 65
    shown = capsys.readouterr()
    assert "did you mean 'mine'?" in shown.out + shown.err


@pytest.mark.parametrize("days", ["0", "-3"])
def test_a_promotion_lasts_a_day_at_least(
    desk: Path, capsys: pytest.CaptureFixture[str], days: str
) -> None:
    assert run(["alpha", "promote", "mine", "--expiry-days", days]) == 78
    assert f"--expiry-days: {days} is no day; write 1 or more" in capsys.readouterr().err


def test_a_family_without_trials_is_said(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = said(capsys, 0, "ledger", "--family", "of").splitlines()
    assert lines[0].startswith("no trial is of family 'of'; did you mean 'ofi'? there are ofi")


def test_a_pool_and_runs_that_are_not_there_yet_say_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(made_desk(tmp_path / "empty"))
    assert said(capsys, 0, "pool") == (
        "no signals yet; `hft alpha validate` keeps those of an alpha\n"
    )
    assert run(["alpha", "experiments", "compare", "x"]) == 65
    assert "there is no run yet" in capsys.readouterr().err


def test_a_scaffold_outside_a_workspace_says_what_makes_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["alpha", "scaffold", "mine"]) == 0
    told = capsys.readouterr().err
    assert "`hft init . --force` makes this folder one" in told
    assert run(["init", ".", "--force"]) == 0
    assert run(["alpha", "scaffold", "second"]) == 0
    assert "hft init" not in capsys.readouterr().err


def test_a_look_at_an_alpha_without_a_number_says_so(
    desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = desk / "research" / "alphas" / "mine" / "impl.py"
    code.write_text(code.read_text().replace("        return self.signal", "        return None"))
    shown = said(capsys, 0, "try", "mine", "--data", "data/planted")
    assert "signal: a number on 0.0% of the rows" in shown and "median" not in shown
    assert "has to return a number, not None or NaN" in shown


def test_a_drawdown_says_of_what_it_is_a_share(
    desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call = ("validate", "mine", "--data", "data/planted", "--profile", "base", "--yes")
    said(capsys, 2, *call)
    folder = max(Path("research/experiments/validations/mine").iterdir())
    page = (folder / "report.html").read_text()
    assert "deepest drawdown, of target capital" in page
    assert "share of the highest equity so far, from the target capital, out of sample" in page


def test_a_canary_shows_figures_to_read_and_facts_as_yes_or_no() -> None:
    found = [
        Check("drawdown", 0.0499723949373804, 0.1, Verdict.PASS),
        Check("rows_unshown", False, True, Verdict.FAIL),
        Check("files_whole", True, True, Verdict.PASS),
        Check("sessions", None, 60, Verdict.INSUFFICIENT),
        Check("look", 3, None, Verdict.PASS),
    ]
    assert [_measured(one) for one in found] == ["0.0499724 of 0.1", "no", "yes", "- of 60", "3"]

"""Advice of the profile base: it is shown everywhere, decides nowhere, and exists nowhere else."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from validation_world import made_desk

from hft.api.validation import validate
from hft.audit.journal import read
from hft.cli.app import run
from hft.core.errors import ConfigError
from hft.research.data import sidecars
from hft.research.data.planted import write

pytestmark = pytest.mark.usefixtures("shared_judgements")
BATTERY = ["series_t", "series_wilcoxon", "series_sign", "series_bootstrap", "series_survivors"]
BACKGROUND = ["roles", "skills", "paper_index", "metadata_tier"]
NAMED = {
    "dataset_id": "planted",
    "source_type": "synthetic",
    "owner": "ann",
    "schema_version": 1,
    "rows": 1,
    "fields": [],
}


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with one alpha that cites a paper, and planted bars."""
    root = made_desk(tmp_path_factory.mktemp("advice") / "desk")
    write(root / "data" / "planted", 0.05, days=45, seed=1)
    (
        root / "data" / "planted" / "bars.parquet.meta.json"
    ).unlink()  # rows of which nobody says a word
    return root


@pytest.fixture
def copy(desk: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(desk, tmp_path / "copy", symlinks=True))


@pytest.fixture(scope="module")
def first(desk: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """One plain validation; its workspace is only to be copied."""
    root = tmp_path_factory.mktemp("first") / "desk"
    return judge(Path(shutil.copytree(desk, root, symlinks=True)))


@pytest.fixture
def judged(first: Any, tmp_path: Path) -> Path:
    """A copy of the workspace as `first` left it."""
    root = first.path.parents[4]
    assert (root / "research").is_dir()
    return Path(shutil.copytree(root, tmp_path / "copy", symlinks=True))


def judge(root: Path, **given: Any) -> Any:
    chosen = {
        "profile": "base",
        "skip_gate_b_tests": True,
        "set": {"gate_b.runs_min": 1.0},
    } | given
    return validate("mine", str(root / "data" / "planted"), root=root, **chosen)


def checks(done: Any, gate: str) -> dict[str, Any]:
    return {check.id: check for check in done.gate(gate).checks}


def test_advice_is_in_gates_scorecard_text_and_page_and_decides_nothing(
    judged: Path, first: Any
) -> None:
    done = first
    a, c = checks(done, "A"), checks(done, "C")
    assert set(BACKGROUND) <= set(a) and {*BATTERY, "bds_p"} <= set(c)
    advice = [a[name] for name in BACKGROUND] + [c[name] for name in (*BATTERY, "bds_p")]
    assert not any(one.blocking and one.applicable for one in advice)
    assert a["roles"].verdict == a["paper_index"].verdict == "FAIL" and done.gate("A").passed
    card = json.loads((done.path / "scorecard.json").read_text())
    assert card["stat_bh_method"] == "bh"
    assert card["stat_bh_n_survived"] == c["series_survivors"].value
    assert card["stat_bds_pvalue"] == pytest.approx(c["bds_p"].value)
    assert card["data_ul"] is None and "no metadata" in card["reasons"]["data_ul"]
    page = (done.path / "report.html").read_text()
    for told in ("tests that survive", "metadata tier (UL1-UL6)", "stat_bds_pvalue"):
        assert told in page, told
    text = done.text(width=400)  # as wide as no cell is folded
    assert "tests that survive (advice)" in text
    assert "papers.yaml" in text and str(done.path.parents[4]) not in page
    again = judge(judged)
    assert again.document.digest == done.document.digest
    assert [gate.to_dict() for gate in again.gates] == [gate.to_dict() for gate in done.gates]


def test_another_correction_moves_the_count_and_neither_figures_nor_trials(
    judged: Path, first: Any
) -> None:
    bh, none = first, judge(judged, correction="none")
    assert none.scorecard.values["stat_bh_method"] == "none"
    assert checks(none, "C")["series_survivors"].threshold == 2.0
    assert checks(bh, "C")["series_survivors"].threshold == 1.0
    same = ("measures_digest", "config_hash", "n_trials")
    assert [bh.scorecard.values[name] for name in same] == [
        none.scorecard.values[name] for name in same
    ]
    assert bh.verdict is none.verdict and bh.trial_id == none.trial_id


@pytest.mark.parametrize("profile", ["standard", "tier1"])
@pytest.mark.parametrize(
    ("given", "option"),
    [
        ({"correction": "bh"}, "correction"),
        ({"gate_f": True}, "gate_f"),
        ({"set": {"gate_c.bds_p_min": 0.05}}, "gate_c.bds_p_min"),
    ],
)
def test_strict_profiles_refuse_advice_in_one_sentence(
    desk: Path, profile: str, given: dict[str, Any], option: str
) -> None:
    with pytest.raises(ConfigError, match=f"{option}: is advice, which only the profile base"):
        judge(desk, **({"set": {}, "profile": profile} | given))


def test_an_unknown_correction_is_refused_with_the_known_ones(desk: Path) -> None:
    with pytest.raises(ConfigError, match="'fdr' is none of bonferroni, holm, bh, by, none"):
        judge(desk, correction="fdr")


def test_the_standard_profile_has_no_advice_in_its_scorecard(copy: Path) -> None:
    done = judge(copy, profile="standard", set={})
    assert not {"stat_bh_method", "data_ul"} & set(done.scorecard.values)
    ids = {check.id for gate in done.gates for check in gate.checks}
    assert not ids & {*BACKGROUND, *BATTERY, "bds_p"}


def test_a_paper_with_an_entry_and_data_with_metadata_warn_no_more(copy: Path, first: Any) -> None:
    refs = first.document.tables[1].rows[-1][1].split("; ")
    assert refs and refs[0]
    index = copy / "research" / "knowledge" / "papers.yaml"
    index.write_text("".join(f"{json.dumps(ref)}: read\n" for ref in refs))
    files = [path for path in (copy / "data" / "planted").iterdir() if path.suffix == ".parquet"]
    import pyarrow.parquet as pq

    for path in files:
        told = NAMED | {"rows": pq.read_metadata(path).num_rows}
        path.with_name(path.name + ".meta.json").write_text(json.dumps(told))
    done = judge(copy)
    found = checks(done, "A")
    assert found["paper_index"].verdict == found["metadata_tier"].verdict == "PASS"
    assert done.scorecard.values["data_ul"] == 2
    index.write_text("a: [")
    broken = checks(judge(copy), "A")["paper_index"]
    assert broken.verdict == "FAIL" and "papers.yaml: line 1" in broken.reason


def test_each_metadata_tier_needs_all_below_it() -> None:
    told: dict[str, Any] = {}
    assert sidecars.tier(told) is None
    steps = [
        {"dataset_id": "d", "source_type": "real", "owner": "ann", "schema_version": 1},
        {"rows": 5, "fields": ["px"]},
        {"symbols": ["X"], "start": "2024-01-02", "end": "2024-01-03"},
        {"source": "an exchange", "license": "internal"},
        {"made_from": [], "made_by": "hft data ingest"},
        {"gaps": [], "limitations": "none known"},
    ]
    for tier, more in enumerate(steps, start=1):
        told |= more
        assert sidecars.tier(told) == tier
    assert sidecars.tier({**told, "fields": None}) == 1
    assert sidecars.tier({**told, "source_type": "synthetic"}) == 3


def test_gate_f_runs_the_parity_tests_and_changes_no_verdict(judged: Path, first: Any) -> None:
    plain, done = first, judge(judged, gate_f=True)
    gate = done.gate("F")
    assert gate.advisory and gate.verdict == "INSUFFICIENT"
    assert gate.missing == ("a test of the alpha with `parity` in its name",)
    assert done.verdict is plain.verdict and done.missing == plain.missing
    assert done.document.digest == plain.document.digest
    assert "Gate F (advice)" in done.text(width=400)
    report = json.loads((done.path / "twin_report.json").read_text())
    assert report["runs"]["benchmark"]["ns_a_row"] > 0
    rows = [r["row"] for r in read(judged / ".state" / "audit") if r["table"] == "alpha_gate_log"]
    assert [r["verdict"] for r in rows if r["gate"] == "F"] == ["INSUFFICIENT"]


PARITY = "def test_parity_of_both_forms() -> None:\n    assert {claim}\n"


def test_gate_f_tells_a_failed_parity_and_a_module_that_is_not_there(copy: Path) -> None:
    folder = copy / "research" / "alphas" / "mine"
    file = folder / "tests" / "test_twin.py"
    file.write_text(PARITY.format(claim="True"))
    done = judge(copy, gate_f=True)
    assert done.gate("F").passed and checks(done, "F")["rust_module"].applicable is False
    file.write_text(PARITY.format(claim="False"))
    source = folder / "impl.py"
    text = source.read_text()
    source.write_text(text.replace("owner=", 'rust_module="no_such_twin", owner=', 1))
    failed = judge(copy, gate_f=True)
    found = checks(failed, "F")
    assert found["parity_tests"].verdict == found["rust_module"].verdict == "FAIL"
    assert "no_such_twin cannot be imported" in found["rust_module"].reason
    timed = json.loads((failed.path / "twin_report.json").read_text())["runs"]["benchmark"]
    assert timed["slower"] is not None and timed["before_ns_a_row"] > 0
    assert failed.verdict is done.verdict
    assert "Gate F" not in json.dumps(failed.document.to_json()["words"])


def test_reports_go_where_they_are_asked_to_and_the_ledger_stays(copy: Path) -> None:
    elsewhere = copy / "elsewhere"
    done = judge(copy, experiments_dir=elsewhere)
    assert done.path.is_relative_to(elsewhere) and (elsewhere / "runs").is_dir()
    assert not (copy / "research" / "experiments" / "validations").exists() or not any(
        (copy / "research" / "experiments" / "validations").iterdir()
    )
    assert any((copy / "research" / "ledger").glob("*.jsonl"))


def test_the_command_knows_the_options(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(copy)
    call = ["alpha", "validate", "mine", "--data", "data/planted", "--skip-gate-b-tests", "--yes"]
    assert run([*call, "--correction", "holm"]) == 78
    assert run([*call, "--profile", "base", "--correction", "holm", "--gate-f"]) == 2


def test_a_profile_file_of_before_leaves_advice_out(copy: Path) -> None:
    file = copy / "config" / "governance" / "base.yaml"
    if not file.is_file():
        file.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(Path(__file__).parents[3] / "config" / "governance" / "base.yaml", file)
    old = [line for line in file.read_text().splitlines() if not line.strip().startswith(KEYS)]
    mine = copy / "old.yaml"
    mine.write_text(
        "\n".join(old).split("gate_f:")[0]
        + "\n"
        + PROMOTION.join(("", "\n".join(old).split(PROMOTION)[1]))
    )
    done = judge(copy, profile=str(mine))
    found = checks(done, "C")
    assert not found["series_survivors"].applicable
    assert not checks(done, "A")["metadata_tier"].applicable
    assert done.scorecard.values["stat_bh_n_survived"] is None
    with pytest.raises(ConfigError, match=r"gate_f.parity_seconds_max: the file .* leaves it out"):
        judge(copy, profile=str(mine), gate_f=True)


KEYS = ("metadata_tier", "series_", "bds_p")
PROMOTION = "\npromotion:"

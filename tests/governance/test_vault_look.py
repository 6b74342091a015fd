"""A look at the vault: paid first, signed, limited, and only for a frozen candidate."""

import fcntl
import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import polars as pl
import pytest

from hft.api import research
from hft.api import vault as api
from hft.api.desk import open_desk
from hft.api.validation import validate
from hft.api.vault import look
from hft.audit.journal import read
from hft.core.errors import GovernanceError, PromotionError, ValidationError
from hft.governance.validation.result import Validation
from hft.governance.vault import KIND, TABLE, subject
from hft.research.data import usage
from hft.research.data.footprint import Footprint
from hft.research.data.load import load
from hft.research.data.planted import planted
from hft.research.workspace import Workspace

pytestmark = pytest.mark.usefixtures("shared_judgements")


@pytest.fixture(scope="module")
def validated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A validated alpha on data with a vault, and a budget of two looks."""
    root = tmp_path_factory.mktemp("vault") / "desk"
    research.init(root)
    settings = root / "config" / "default.yaml"
    text = settings.read_text().replace("vault_looks: 3", "vault_looks: 2")
    on, off = "HFT_ALPHA_AUDIT_ENABLED: true", "HFT_ALPHA_AUDIT_ENABLED: false"
    settings.write_text(text.replace(on, off))
    research.scaffold("mine", source="order_flow_imbalance", horizon="1min", root=root)
    bars = root / "bars.parquet"
    planted(0.05, days=100, seed=1).write_parquet(bars)
    research.make_features([str(bars)], root / "data", horizons="1min", split="40,40,20")
    judged(root, "data")
    return root


@pytest.fixture
def desk(validated: Path, tmp_path: Path) -> Path:
    """A copy of its own, at which nobody looked."""
    return Path(shutil.copytree(validated, tmp_path / "desk"))


def judged(root: Path, folder: str) -> Validation:
    return validate(
        "mine",
        str(root / folder),
        root=root,
        profile="base",
        skip_gate_b_tests=True,
        set={"gate_b.runs_min": 1.0},
    )


def overrides(desk: Path) -> list[dict]:
    rows = read(desk / ".state" / "audit")
    return [row["row"] for row in rows if row["table"] == "override_log"]


def test_each_look_is_paid_signed_and_shown_and_the_last_one_is_the_last(desk: Path) -> None:
    first = look("mine", reason="final check", root=desk)
    assert first.sessions == 20 and first.looks_left == 1 and first.sharpe is not None
    second = look("mine", reason="once more", root=desk)
    assert second.sharpe == first.sharpe and second.looks_left == 0
    rows = overrides(desk)
    assert [row["reason"] for row in rows] == ["final check", "once more"]
    assert all("BEGIN SSH SIGNATURE" in row["signature"] for row in rows)
    with pytest.raises(GovernanceError, match="all 2 looks are spent"):
        look("mine", reason="please", root=desk)
    last = overrides(desk)[-1]
    assert last["kind"] == "vault_refused" and last["alpha_id"] == "mine"
    assert last["reason"].startswith("please: vault: ")


def test_a_budget_above_that_of_hft_is_an_act_on_record(
    validated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = Path(shutil.copytree(validated, tmp_path / "desk"))
    monkeypatch.setenv("HFT_ALPHA_VAULT_LOOKS", "4")
    for number in range(3):
        look("mine", reason=f"look {number}", root=root)
    assert {row["kind"] for row in overrides(root)} == {"vault_look"}
    fourth = look("mine", reason="one more", root=root)
    assert "look 4 of 4, beyond hft's 3: an override, on record" in fourth.sentence
    beyond, taken = overrides(root)[-2:]
    assert (beyond["kind"], taken["kind"]) == ("vault_budget", "vault_look")
    assert beyond["reason"] == "alpha.vault_looks is 4 here, hft's is 3; look 4"
    assert "BEGIN SSH SIGNATURE" in beyond["signature"]
    with pytest.raises(GovernanceError, match="all 4 looks are spent"):
        look("mine", reason="please", root=root)


def test_a_frame_in_memory_that_was_judged_since_does_not_hide_the_validation_on_files(
    validated: Path, tmp_path: Path
) -> None:
    root = Path(shutil.copytree(validated, tmp_path / "desk"))
    newest = max((root / "research" / "experiments" / "validations" / "mine").iterdir())
    later = Path(shutil.copytree(newest, newest.with_name("29991231T000000Z_ffffffff")))
    manifest = json.loads((later / "manifest.json").read_text())
    (later / "manifest.json").write_text(json.dumps({**manifest, "data_paths": []}))
    assert look("mine", reason="on files", root=root).sessions == 20


def test_the_vault_of_another_choice_of_rows_and_columns_is_spent_with_it(desk: Path) -> None:
    """Every second row, fewer columns, another share: the same days, so the same budget."""
    for reason in ("final check", "once more"):
        look("mine", reason=reason, root=desk)
    frame = pl.read_parquet(desk / "bars.parquet")
    frame.drop("volume").gather_every(2).write_parquet(desk / "chosen.parquet")
    research.make_features(
        [str(desk / "chosen.parquet")], desk / "chosen", horizons="1min", split="40,40,20"
    )
    assert judged(desk, "chosen").scorecard is not None
    with pytest.raises(GovernanceError, match="all 2 looks are spent"):
        look("mine", reason="another dataset", root=desk)


def test_of_several_who_look_at_once_no_more_get_in_than_may(
    validated: Path, tmp_path: Path
) -> None:
    """Each asks for the last looks at the same moment; what is counted is what was given."""
    root = Path(shutil.copytree(validated, tmp_path / "desk"))
    desk = open_desk(root)
    _, alpha, data = api._frozen(desk, "mine", None)
    together = Barrier(6)

    def ask(number: int) -> str:
        own = open_desk(root)
        together.wait(30)
        try:
            api._paid(own, alpha, data, f"at once {number}", None)
        except GovernanceError as error:
            return str(error)
        return "given"

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(ask, range(6)))
    assert answers.count("given") == 2
    assert sum("all 2 looks are spent" in answer for answer in answers) == 4
    assert [row["kind"] for row in overrides(root)] == ["vault_look"] * 2


def test_a_look_waits_for_the_one_that_is_being_decided(validated: Path, tmp_path: Path) -> None:
    """While somebody else takes the last looks, nothing is decided on the rows of before."""
    root = Path(shutil.copytree(validated, tmp_path / "desk"))
    desk = open_desk(root)
    _, alpha, data = api._frozen(desk, "mine", None)
    with open(root / ".state" / "vault.lock", "a") as file, ThreadPoolExecutor(1) as pool:
        fcntl.flock(file, fcntl.LOCK_EX)
        asked = pool.submit(api._paid, open_desk(root), alpha, data, "me, too", None)
        with pytest.raises(TimeoutError):
            asked.result(timeout=3)
        taken = {"kind": KIND, "alpha_id": "mine", "reason": "the last"}
        family = alpha.manifest.family or "mine"
        named = subject(family, data.content, Footprint.of(data.select("vault")))
        for n in range(2):
            desk.auditor.record(TABLE, {**taken, "subject": named}, now_ns=desk.now_ns + n)
        fcntl.flock(file, fcntl.LOCK_UN)
        with pytest.raises(GovernanceError, match="all 2 looks are spent"):
            asked.result(timeout=60)


def test_a_refusal_of_any_kind_is_a_row_that_names_it(validated: Path, tmp_path: Path) -> None:
    root = Path(shutil.copytree(validated, tmp_path / "desk"))
    with pytest.raises(PromotionError, match="no scorecard"):
        look("other", reason="curious", root=root)
    with pytest.raises(GovernanceError, match="nobody"):
        look("mine", reason="a key of nobody", key=root / "nobody", root=root)
    research.make_features([str(root / "bars.parquet")], root / "data", split="20,20,60")
    with pytest.raises(PromotionError, match="its rows or splits moved"):
        look("mine", reason="more of it", root=root)
    rows = overrides(root)
    assert [(row["kind"], row["alpha_id"]) for row in rows] == [
        ("vault_refused", "other"),
        ("vault_refused", "mine"),
        ("vault_refused", "mine"),
    ]
    assert "no scorecard" in rows[0]["reason"] and "moved" in rows[2]["reason"]


def test_a_vault_is_not_explored_by_another_split_and_is_none_once_it_was(
    validated: Path, tmp_path: Path
) -> None:
    root = Path(shutil.copytree(validated, tmp_path / "desk"))
    bars = [str(root / "bars.parquet")]
    research.make_features(bars, root / "open", horizons="1min", split="98,1,1")
    with pytest.raises(ValidationError, match="were kept back as vault"):
        research.try_("mine", str(root / "open"), root=root)
    whole = load(root / "open")
    place = Workspace(root)
    usage.record(place, usage.Use.of("try", "mine", whole, whole.select("explore")), 1)
    with pytest.raises(GovernanceError, match="were looked at for nothing as explore"):
        look("mine", reason="final check", root=root)


def test_the_vault_is_not_among_the_rows_that_were_validated(desk: Path) -> None:
    frame = pl.read_parquet(next((desk / "data").glob("*.parquet")))
    assert frame["ts"].n_unique() == 100 * 390


def test_a_look_needs_a_reason_and_a_frozen_candidate(desk: Path) -> None:
    with pytest.raises(GovernanceError, match="reason"):
        look("mine", reason=" ", root=desk)
    with pytest.raises(PromotionError, match="no scorecard"):
        look("other", reason="curious", root=desk)
    code = desk / "research" / "alphas" / "mine" / "impl.py"
    text = code.read_text()
    try:
        code.write_text(text + "\n# changed\n")
        with pytest.raises(PromotionError, match="code moved"):
            look("mine", reason="curious", root=desk)
    finally:
        code.write_text(text)

"""Evidence says where it comes from: what counts outside a rehearsal, and what a statement can."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest
from promotion_world import ALPHA, World, profile, shadow

from hft.api.validation import _rollbacks
from hft.cli.app import run
from hft.core.errors import DataError
from hft.governance import provenance
from hft.governance.canary.apply import apply, rollback_by_hand
from hft.governance.gates import e
from hft.governance.gates.origins import IDS, Origins, checks
from hft.governance.promotion.origins import of_data, used_before
from hft.governance.validation.trials import config_hash
from hft.governance.verdict import Verdict
from hft.research.data.load import load
from hft.research.data.planted import planted, write
from hft.research.data.planted_tapes import quotes, write_tapes
from hft.research.measures.measurement import Options
from hft.runs.ingest import ingest
from hft.runs.join import join
from hft.tape.dataset import Tapes

GOOD = Origins(
    tapes=3,
    unwitnessed=3,
    data="recorded",
    oldest_days=40,
    instruments=("X",),
    named=True,
)


def verdicts(found: Origins | None, name: str = "standard") -> dict[str, Verdict]:
    return {one.id: one.verdict for one in checks(found, profile(name)) if one.applicable}


@pytest.fixture(scope="module")
def tapes(tmp_path_factory: pytest.TempPathFactory) -> Tapes:
    """Two days of own columns: their headers do not say what they are."""
    names = {name: name for name in ("ts", "bid", "ask", "bid_qty", "ask_qty")}
    rows = quotes(planted(0.05, days=2, seed=1))
    out = tmp_path_factory.mktemp("own") / "tapes"
    made: Tapes = ingest(rows, out, columns=names, symbol="OWN", tick="0.001", lot=1)
    return made


def test_recorded_evidence_counts_and_what_is_synthetic_or_unsaid_does_not() -> None:
    assert set(verdicts(GOOD)) == set(IDS) and set(verdicts(GOOD).values()) == {Verdict.PASS}
    made_up = verdicts(replace(GOOD, synthetic=1))
    assert made_up["provenance"] is Verdict.FAIL
    unsaid = {one.id: one for one in checks(replace(GOOD, unsaid=2), profile("standard"))}
    assert unsaid["provenance"].verdict is Verdict.INSUFFICIENT
    assert "hft data declare TAPES --as recorded" in unsaid["provenance"].missing[0]
    assert verdicts(replace(GOOD, data="synthetic"))["data_provenance"] is Verdict.FAIL
    assert verdicts(replace(GOOD, data=""))["data_provenance"] is Verdict.INSUFFICIENT
    assert set(verdicts(None).values()) == {Verdict.INSUFFICIENT}
    assert verdicts(GOOD, "base") == {}, "for teaching nothing of it is asked"


def test_old_runs_other_instruments_and_runs_that_counted_already_are_refused() -> None:
    assert verdicts(replace(GOOD, oldest_days=90))["evidence_age"] is Verdict.PASS
    old = {one.id: one for one in checks(replace(GOOD, oldest_days=91), profile("standard"))}
    assert (
        old["evidence_age"].verdict is Verdict.FAIL and "91 days old" in old["evidence_age"].reason
    )
    assert verdicts(replace(GOOD, others=("Y",)))["same_instrument"] is Verdict.FAIL
    both = replace(GOOD, named=False, instruments=("X", "Y"))
    assert verdicts(both)["same_instrument"] is Verdict.FAIL
    assert verdicts(replace(GOOD, twice=1))["counted_once"] is Verdict.FAIL
    assert verdicts(replace(GOOD, paper_oldest_days=300))["paper_age"] is Verdict.FAIL


def test_tier1_asks_for_a_witness_newer_runs_and_the_instrument() -> None:
    assert verdicts(GOOD, "tier1")["provenance"] is Verdict.INSUFFICIENT
    assert verdicts(GOOD, "tier1")["data_provenance"] is Verdict.INSUFFICIENT
    seen = replace(GOOD, unwitnessed=0, data_witnessed=True)
    assert set(verdicts(seen, "tier1").values()) == {Verdict.PASS}
    assert verdicts(replace(seen, oldest_days=80), "tier1")["evidence_age"] is Verdict.FAIL
    assert verdicts(replace(seen, named=False), "tier1")["same_instrument"] is Verdict.INSUFFICIENT


def test_a_rehearsal_goes_on_with_synthetic_tapes_and_says_what_they_are() -> None:
    rehearsed = replace(GOOD, rehearsal=True, synthetic=3, data="synthetic", oldest_days=400)
    found = checks(rehearsed, profile("standard"))
    assert not any(one.applicable for one in found)
    assert "a rehearsal; elsewhere: FAIL 3 of 3 shadow tapes are synthetic" in found[0].reason
    gate = e.evaluate(shadow(origins=rehearsed), profile("standard"))
    assert gate.verdict is Verdict.PASS
    assert (
        e.evaluate(shadow(origins=replace(rehearsed, rehearsal=False)), profile("standard")).verdict
        is Verdict.FAIL
    )


def test_a_declaration_says_what_own_tapes_are_and_who_signed_it(
    world: World, tapes: Tapes
) -> None:
    keys = world.office("ann").keys
    assert {provenance.of_tape(tape, ()).says for tape in tapes} == {""}
    contents = {tape.sha256: tape.path.name for tape in tapes}
    told = {"says": "recorded", "source": "our feed handler", "now_ns": world.now_ns}
    provenance.declare(world.root, contents, **told)
    (plain,) = {
        provenance.of_tape(one, provenance.statements(world.root, keys)).signed_by for one in tapes
    }
    assert plain == ""
    signed = provenance.declare(world.root, contents, **told, key=world.key("bob"))
    known = provenance.statements(world.root, keys)
    assert {(o.says, o.signed_by) for o in (provenance.of_tape(t, known) for t in tapes)} == {
        ("recorded", "bob")
    }
    body = json.loads(signed.read_text())
    signed.write_text(json.dumps(body | {"source": "another feed"}))
    assert not any(one.signed_by for one in provenance.statements(world.root, keys))
    signed.write_text("{}")
    with pytest.raises(DataError, match="is no statement"):
        provenance.statements(world.root, keys)


def test_no_statement_makes_a_synthetic_tape_recorded(tmp_path: Path) -> None:
    made = write_tapes(tmp_path / "tapes", 0.05, days=1)
    said = [provenance.Statement("recorded", "a feed", {made[0].sha256: "x"}, 0, "bob")]
    assert provenance.of_tape(made[0], said).says == "synthetic"
    write(tmp_path / "bars", 0.05, days=3)
    data = load(str(tmp_path / "bars"))
    said = [provenance.Statement("recorded", "a feed", {data.content: "x"}, 0, "bob")]
    assert of_data(data, said).says == "synthetic"


def test_a_tape_with_signals_is_of_the_tape_it_was_made_from_and_of_no_other(
    tapes: Tapes, tmp_path: Path
) -> None:
    start = tapes[0].span[0]
    frame = pl.DataFrame({"ts": [start + 10**9, start + 2 * 10**9], "signal": [0.5, -0.5]})
    frame = frame.with_columns(pl.col("ts").cast(pl.Datetime("ns", "UTC")))
    day = tapes[tapes.days[0]]
    (carried,) = join(day, frame, ts="ts", columns="signal", out=tmp_path / "joined")
    assert provenance.of_tape(carried, ()).sha256 == day[0].sha256
    carried.source["of"] = tapes[1].sha256
    with pytest.raises(DataError, match="is not that of the tape it names"):
        provenance.of_tape(carried, ())


def test_data_declare_is_a_command_that_refuses_synthetic_contents(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = tmp_path / "desk"
    assert run(["init", str(desk)]) == 0
    monkeypatch.chdir(desk)
    planted(0.05, days=3).write_parquet("own.parquet")
    declare = ["data", "declare"]
    assert run([*declare, "own.parquet", "--as", "recorded", "--source", "us"]) == 0
    (path,) = Path(provenance.FOLDER).glob("*.json")
    assert [*json.loads(path.read_text())["contents"]] == [load("own.parquet").content]
    assert run(["data", "synth", "--events", "1000", "--out", "tapes"]) == 0
    assert run([*declare, "tapes", "--as", "recorded", "--source", "us"]) == 2
    assert run([*declare, "tapes", "--as", "synthetic", "--source", "us"]) == 0
    assert run([*declare, "tapes", "--as", "live", "--source", " "]) == 78


def test_what_is_validated_again_after_a_rollback_is_new_trials() -> None:
    options = Options()
    assert config_hash(options) == config_hash(replace(options, reentry=0))
    hashes = {config_hash(replace(options, reentry=count)) for count in (0, 1, 2)}
    assert len(hashes) == 3 and "reentry" not in options.to_dict()


def test_tapes_of_an_attempt_that_was_rolled_back_are_used_up(world: World) -> None:
    runs = ({"run_id": "r1", "digest": "1" * 64, "tapes": ["a" * 64]},)
    world.propose(shadow=shadow(runs=runs))
    world.pass_days(1 / 24)
    assert world.approve().approved
    assert used_before(world.office(), ALPHA) == set(), "a renewal may show them again"
    file = world.file()
    assert file.promotion is not None
    apply(
        world.office("cyd"), file, rollback_by_hand(file.promotion, "fees"), person=None, key=None
    )
    assert used_before(world.office(), ALPHA) == {"a" * 64}
    assert _rollbacks(SimpleNamespace(auditor=world.office().audit), ALPHA) == 1  # type: ignore[arg-type]

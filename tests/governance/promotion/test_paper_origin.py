"""Sessions of paper trading say where they come from, and each counts once."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from promotion_world import ALPHA, World, profile, shadow

import hft
from hft.core.errors import ValidationError
from hft.governance.canary.apply import apply, rollback_by_hand
from hft.governance.gates.origins import Origins, PaperOrigins, checks
from hft.governance.paper import PaperSession, PaperSummary, log_session, sessions_folder, summarize
from hft.governance.promotion.origins import _paper, paper_before

HOUR = 3_600 * 10**9
GOOD = PaperOrigins(sessions=5, unwitnessed=5)
IDS = ("paper_provenance", "paper_instrument", "paper_once")


def verdicts(found: PaperOrigins, name: str = "standard") -> dict[str, str]:
    told = checks(Origins(paper=found), profile(name))
    return {one.id: one.verdict.value for one in told if one.id in IDS and one.applicable}


def log(world: World, number: int, key: str = "", **more: Any) -> Path:
    started = world.now_ns - number * 24 * HOUR
    given: dict[str, Any] = {"says": "live", "source": "our gateway", "symbol": "X", **more}
    signing = world.key(key) if key else None
    times = {"started_ns": started, "ended_ns": started + HOUR}
    folder = world.workspace.experiments
    return log_session(folder, ALPHA, f"s{number}", key=signing, **times, **given)


def read(world: World) -> PaperSummary:
    return summarize(sessions_folder(world.workspace.experiments, ALPHA), ALPHA, world.keys)


def origins(world: World, *symbols: str, owner: str = "ann") -> PaperOrigins:
    return _paper(read(world), paper_before(world.office(), ALPHA), set(symbols), owner)


def test_sessions_of_a_market_on_its_instrument_count_and_others_do_not() -> None:
    assert verdicts(GOOD) == dict.fromkeys(IDS, "PASS")
    assert verdicts(replace(GOOD, synthetic=1))["paper_provenance"] == "FAIL"
    assert verdicts(replace(GOOD, unsaid=1))["paper_provenance"] == "INSUFFICIENT"
    assert verdicts(replace(GOOD, others=("Y",)))["paper_instrument"] == "FAIL"
    assert verdicts(replace(GOOD, unnamed=1))["paper_instrument"] == "INSUFFICIENT"
    assert verdicts(replace(GOOD, twice=1))["paper_once"] == "FAIL"
    assert verdicts(GOOD, "tier1")["paper_provenance"] == "INSUFFICIENT", "somebody else signs"
    assert verdicts(replace(GOOD, unwitnessed=0), "tier1")["paper_provenance"] == "PASS"
    assert verdicts(GOOD, "base") == {}
    assert not any(
        one.applicable for one in checks(Origins(paper=GOOD, rehearsal=True), profile("standard"))
    )


def test_who_logged_a_session_is_whose_signature_fits(world: World) -> None:
    log(world, 1, key="bob")
    log(world, 2, key="ann")
    edited = log(world, 3, key="bob", regime="calm")
    log(world, 4, says="", source="")
    edited.write_text(edited.read_text().replace("calm", "wild"))
    assert [one.signed_by for one in read(world).sessions] == ["bob", "ann", "", ""]
    found = origins(world, "X")
    assert (found.sessions, found.unsaid, found.unwitnessed) == (4, 1, 3)
    assert origins(world, "Y").others == ("X",)


def test_a_session_says_who_made_it_or_nothing(world: World) -> None:
    for wrong in ({"says": "real"}, {"source": " "}):
        with pytest.raises(ValidationError, match="who recorded it"):
            log(world, 1, **wrong)


def test_a_time_that_counted_before_a_rollback_counts_no_more(world: World) -> None:
    for number in range(3, 11):
        log(world, number)
    world.propose(shadow=shadow(paper=read(world)))
    world.pass_days(1 / 24)
    assert world.approve().approved and origins(world, "X").twice == 0, "a renewal may show it"
    file = world.file()
    assert file.promotion is not None
    out = rollback_by_hand(file.promotion, "fees")
    apply(world.office("cyd"), file, out, person=None, key=None)
    spent = paper_before(world.office(), ALPHA)
    assert spent == list(read(world).sessions) and origins(world, "X").twice == 8
    # Under another name and an hour of its own half an hour later it is the same time.
    path = next(sessions_folder(world.workspace.experiments, ALPHA).glob("*.json"))
    told = json.loads(path.read_text())
    moved = {name: told[name] + HOUR // 2 for name in ("started_ns", "ended_ns")}
    path.with_name("other.json").write_text(json.dumps(told | moved | {"session_id": "other"}))
    path.unlink()
    log(world, 20)
    assert (origins(world, "X").sessions, origins(world, "X").twice) == (9, 8)
    assert not PaperSession(0, 1).overlaps(PaperSession(1, 2))


def test_a_session_logged_at_the_desk_is_signed_by_its_key(tmp_path: Path) -> None:
    root = tmp_path / "desk"
    hft.alpha.init(root)
    times = {"started": "2026-11-02T09:00Z", "ended": "2026-11-02T10:30Z"}
    words = {"says": "recorded", "source": "the feed of our desk", "symbol": "X"}
    (one,) = hft.alpha.log_paper_session("mine", "monday", root=root, **words, **times).sessions
    assert one.says == "recorded" and one.signed_by
    more = {"started": "2026-11-03T09:00Z", "ended": "2026-11-03T10:30Z"}
    assert hft.alpha.log_paper_session("mine", "tuesday", root=root, **more).sessions[1].says == ""

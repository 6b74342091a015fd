"""Gate E's lines on evidence: is it of a market, of this one, new, and counted once?

Pure. In a rehearsal nothing of it decides, and each line says what would be refused elsewhere.
"""

from dataclasses import asdict, dataclass
from typing import Any

from hft.governance.gates.thresholds import asked, unasked
from hft.governance.profile import Profile
from hft.governance.verdict import Check, Verdict, at_most, insufficient, not_applicable

SAID, WITNESSED = 1, 2  # every tape recorded or live; and each signed by another than the owner
DECLARE = "say what they are: hft data declare TAPES --as recorded --source TEXT"
IDS = ("provenance", "data_provenance", "evidence_age", "same_instrument", "counted_once")


@dataclass(frozen=True)
class PaperOrigins:
    """The sessions of paper trading, counted as the tapes of `Origins` are.

    `others` are instruments that the validated data is not of; `unnamed` counts sessions that name
    none, `twice` those of a time that an attempt before the last rollback has used.
    """

    sessions: int = 0
    unsaid: int = 0
    synthetic: int = 0
    unwitnessed: int = 0
    unnamed: int = 0
    others: tuple[str, ...] = ()
    twice: int = 0

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self) | {"others": list(self.others)}


@dataclass(frozen=True)
class Origins:
    """The tapes of the shadow runs, counted; `data` is what the validated rows are said to be.

    `unsaid`, `synthetic` and `unwitnessed` (not signed by another than the owner) count tapes.
    `oldest_days`: age of the oldest session, None without one. `others`: instruments of runs that
    the validated data is not of; `named`: does the data say its instrument at all. `twice`: runs on
    a tape that another run, or an attempt before the last rollback, has used already.
    """

    tapes: int = 0
    unsaid: int = 0
    synthetic: int = 0
    unwitnessed: int = 0
    data: str = ""
    data_witnessed: bool = False
    oldest_days: int | None = None
    instruments: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    named: bool = False
    twice: int = 0
    paper_oldest_days: int | None = None
    paper: "PaperOrigins | None" = None
    rehearsal: bool = False

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        plain = {
            name: list(one) if isinstance(one, tuple) else one for name, one in asdict(self).items()
        }
        return plain | {"paper": None if self.paper is None else self.paper.to_dict()}


def checks(found: Origins | None, profile: Profile) -> list[Check]:
    """Each line; not asked for under a profile whose `gate_e.provenance_min` is null."""
    least = profile.get("gate_e.provenance_min")
    if least is None:
        return [unasked(profile, id) for id in IDS]
    if found is None:
        words = "nobody looked where the shadow runs come from"
        return [insufficient(id, words, ("sealed run folders, with --shadow-runs",)) for id in IDS]
    key = "gate_e.evidence_age_days_max"
    made = [
        _tapes(found, int(least)),
        _data(found, int(least)),
        _age(profile, key, "evidence_age", found.oldest_days),
        _instrument(found, int(least)),
        at_most(
            "counted_once",
            float(found.twice),
            0.0,
            reason=f"{found.twice} runs are on tapes that counted already; give each tape once, "
            "and after a rollback new ones",
        ),
    ]
    if found.paper_oldest_days is not None:
        made.append(_age(profile, key, "paper_age", found.paper_oldest_days))
    if found.paper is not None:
        made += _paper(found.paper, int(least))
    return [_rehearsed(check) for check in made] if found.rehearsal else made


def _rehearsed(check: Check) -> Check:
    words = f"; elsewhere: {check.verdict} {check.reason}" if check.reason else ""
    return not_applicable(check.id, f"a rehearsal{words}", check.value)


def _tapes(found: Origins, least: int) -> Check:
    id, of = "provenance", f"of {found.tapes} shadow tapes"
    if found.synthetic:
        return _level(id, 0, least, Verdict.FAIL, f"{found.synthetic} {of} are synthetic")
    if found.unsaid or not found.tapes:
        words = f"{found.unsaid} {of} do not say whether they are recorded"
        return _level(id, 0, least, Verdict.INSUFFICIENT, words, (DECLARE,))
    if found.unwitnessed:
        words = f"{found.unwitnessed} {of} are not declared by anybody but the owner"
        missing = ("somebody else's `hft data declare TAPES --as recorded --key FILE`",)
        return _level(id, SAID, least, Verdict.INSUFFICIENT, words, missing)
    return _level(id, WITNESSED, least, Verdict.PASS, "")


def _data(found: Origins, least: int) -> Check:
    id = "data_provenance"
    if found.data == "synthetic":
        return _level(id, 0, least, Verdict.FAIL, "the validated data is synthetic")
    if not found.data:
        words = "the validated data does not say whether it is recorded"
        return _level(
            id, 0, least, Verdict.INSUFFICIENT, words, (DECLARE.replace("TAPES", "DATA"),)
        )
    if not found.data_witnessed:
        words = "the validated data is not declared by anybody but the owner"
        missing = ("somebody else's `hft data declare DATA --as recorded --key FILE`",)
        return _level(id, SAID, least, Verdict.INSUFFICIENT, words, missing)
    return _level(id, WITNESSED, least, Verdict.PASS, "")


def _level(
    id: str, reached: int, least: int, short: Verdict, words: str, missing: tuple[str, ...] = ()
) -> Check:
    """A level of what is known; below the least it is refused in these words."""
    if reached >= least:
        return Check(id, reached, least, Verdict.PASS, reason=words, margin=float(reached - least))
    margin = float(reached - least)
    return Check(id, reached, least, short, reason=words, missing=missing, margin=margin)


def _age(profile: Profile, key: str, id: str, days: int | None) -> Check:
    words = f"the oldest session is {days} days old, at most {profile.get(key)} count; give newer"
    return asked(profile, key, id, days, reason=words, undefined="no shadow session")


def _instrument(found: Origins, least: int) -> Check:
    id = "same_instrument"
    if found.others:
        words = f"shadow runs on {', '.join(found.others)}, the validated data is of another"
        return Check(id, False, True, Verdict.FAIL, reason=words)
    if len(found.instruments) > 1 and not found.named:
        words = f"shadow runs on {', '.join(found.instruments)}, the data names none of them"
        return Check(id, False, True, Verdict.FAIL, reason=words)
    if found.named or least < WITNESSED:
        return Check(id, True, True, Verdict.PASS)
    words = "the validated data does not name its instrument"
    cure = "validate on tapes, or write `symbols` into the data's .meta.json"
    return Check(id, None, True, Verdict.INSUFFICIENT, reason=words, missing=(cure,))


def _paper(found: PaperOrigins, least: int) -> list[Check]:
    """Of a market, on its instrument, each once: as the tapes of the shadow runs."""
    id, of = "paper_provenance", f"of {found.sessions} paper sessions"
    cure = ('log_paper_session(says="recorded", source=..., symbol=...)',)
    if found.synthetic:
        whose = _level(id, 0, least, Verdict.FAIL, f"{found.synthetic} {of} are synthetic")
    elif found.unsaid:
        words = f"{found.unsaid} {of} do not say whether they are recorded"
        whose = _level(id, 0, least, Verdict.INSUFFICIENT, words, cure)
    elif found.unwitnessed:
        words = f"{found.unwitnessed} {of} are not signed by anybody but the owner"
        whose = _level(id, SAID, least, Verdict.INSUFFICIENT, words, ("somebody else's signature",))
    else:
        whose = _level(id, WITNESSED, least, Verdict.PASS, "")
    id = "paper_instrument"
    if found.others:
        words = f"paper sessions on {', '.join(found.others)}, the validated data is of another"
        where = Check(id, False, True, Verdict.FAIL, reason=words)
    elif found.unnamed:
        words = f"{found.unnamed} {of} do not name their instrument"
        where = Check(id, None, True, Verdict.INSUFFICIENT, reason=words, missing=cure)
    else:
        where = Check(id, True, True, Verdict.PASS)
    again = f"{found.twice} {of} are of a time that counted before a rollback; trade new ones"
    return [whose, where, at_most("paper_once", float(found.twice), 0.0, reason=again)]

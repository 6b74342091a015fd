"""How governance figures are said: names of checks, verdict words, margins, what would turn them.

One place for page, card and terminal, so that all three say the same. An unknown check is said by
its own id.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from hft.reports.axes import rounded
from hft.reports.governance.document import Document
from hft.reports.governance.names import CHECKS, GATES

Check = Mapping[str, Any]
GOOD = ("PASS", "PASSED", "APPROVED", "ESCALATE", "ESCALATED", "GRADUATE", "GRADUATED", "VERIFIED")
BAD = ("FAIL", "FAILED", "REJECT", "REJECTED", "REFUSED", "ROLLBACK", "ROLLED_BACK", "EXPIRED")
FAILED_MAX = 8  # failed checks named in the verdict; all stand in their gates
ORDER = ("fail", "wait", "pass", "none")
NOTHING = ("", "NONE", "NOT_APPLICABLE", "NOT_FOUND")
SHARES = re.compile(
    r"^(?!.*sharpe)(?:.*_)?(share|rate|pct|coverage|retention|consistency|hit|drawdown|mdd|haircut|probability)(_|$)"
)
# picture -> the checks it shows, by the beginnings of their ids
SHOWN_BY = {
    "equity": ("drawdown_not",),
    "path_fan": ("cpcv",),
    "walk_forward": ("walk_",),
    "ic_decay": ("half_life",),
    "dsr_curve": ("dsr",),
    "pbo_histogram": ("pbo",),
    "parameter_plateau": ("sweep",),
    "cost_latency": ("sharpe_at_2x_cost", "stress_"),
    "correlation_pool": ("correlation_pool_max", "pnl_correlation", "tail_correlation"),
}
INITIALS = ("dsr", "psr", "pbo", "ic", "vif", "spa", "hac", "cpcv", "mdd", "oos", "is", "sr", "adv")


def tone(verdict: str) -> str:
    """pass, fail, wait, or none for what does not decide."""
    word = str(verdict).upper()
    if word in GOOD:
        return "pass"
    if word in BAD:
        return "fail"
    return "none" if word in NOTHING else "wait"


def check_tone(check: Check) -> str:
    """The light of one check; a warning that decides nothing has none."""
    idle = check.get("id") == "warning" and not check.get("blocking", True)
    return "none" if idle or not check.get("applicable", True) else tone(check.get("verdict", ""))


def verdict_word(verdict: str) -> str:
    """A verdict as a word."""
    known = {"PASS": "pass", "FAIL": "fail", "INSUFFICIENT": "not decided"}
    return known.get(str(verdict).upper(), str(verdict).replace("_", " ").lower())


def check_word(check: Check) -> str:
    """The verdict of a check as a word: also when it does not apply."""
    if not check.get("applicable", True):
        return "n/a"
    return verdict_word(check.get("verdict", "")) if check_tone(check) != "none" else "note"


def check_name(check: Check) -> str:
    """How a person says a check."""
    given = str(check.get("title") or "")
    name = str(check.get("id", ""))
    if given or name in CHECKS:
        return given or CHECKS[name]
    parts = [p.upper() if p in INITIALS else p for p in re.split(r"[_.\s]+", name) if p]
    return " ".join(parts) or "check"


def gate_name(gate: Check) -> str:
    """A gate's name, such as Gate C."""
    name = str(gate.get("gate", "?"))
    said = f"Gate {name}" if name in GATES or len(name) < 3 else name[:1].upper() + name[1:]
    return f"{said} (advice)" if gate.get("advisory") else said


def gate_title(gate: Check) -> str:
    """What a gate is about; empty for an unknown one."""
    return GATES.get(str(gate.get("gate", "")), "")


def figure(value: Any, name: str = "") -> str:
    """A value of a check or table for people."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        share = SHARES.search(name) and isinstance(value, float) and abs(value) <= 1.5
        return f"{100 * value:.4g}%".replace("-", "−") if share else _number(value)
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {figure(one)}" for key, one in value.items()) or "–"
    if isinstance(value, list | tuple):
        return ", ".join(figure(one) for one in value) or "–"
    return str(value)


def _number(value: float) -> str:
    if isinstance(value, int) or (value == int(value) and 10 <= abs(value) < 1e15):
        return f"{int(value):,}".replace("-", "−")
    return rounded(value)


def needed(check: Check) -> str:
    """The threshold with its direction, as the margin tells it."""
    limit, name = check.get("threshold"), str(check.get("id", ""))
    if limit is None or not check.get("applicable", True):
        return "–"
    if isinstance(limit, bool):
        return "must hold" if limit else "must not hold"
    if isinstance(limit, str):
        return _short(limit, name)
    return f"{_sign(check)}{figure(limit, name)}"


def _sign(check: Check) -> str:
    value, margin, limit = (check.get(key) for key in ("value", "margin", "threshold"))
    if not all(isinstance(one, int | float) for one in (value, margin, limit)):
        return ""
    if value == limit and not margin:
        return ""
    above = abs((value - limit) - margin) <= abs((limit - value) - margin)  # type: ignore[operator]
    return "≥ " if above else "≤ "


def share_of_threshold(check: Check) -> float | None:
    """The margin as a share of its threshold, from -1 to 1; None where there is none."""
    margin, limit = check.get("margin"), check.get("threshold")
    if not isinstance(margin, int | float) or check_tone(check) in ("none", "wait"):
        return None
    size = abs(limit) if isinstance(limit, int | float) and limit else 1.0
    if 0.9 <= size < 1.0:
        size = 1.0 - size  # a confidence: what matters is how far it is from certain
    return float(min(max(margin / size, -1.0), 1.0))


def turn(check: Check) -> str:
    """What would turn a check, or how far it is from turning."""
    reason, missing = _said(check), list(check.get("missing") or ())
    if not check.get("applicable", True):
        return reason or "does not apply"
    light = check_tone(check)
    wanted = "; ".join(str(one) for one in missing)
    if wanted and light == "wait":
        return wanted
    margin, name = check.get("margin"), str(check.get("id", ""))
    if isinstance(margin, int | float) and not isinstance(margin, bool):
        size = figure(abs(margin), name) if not isinstance(margin, int) else f"{abs(margin):,}"
        if light == "pass":
            return f"{size} to spare" if margin else "exactly as needed"
        side = "too low" if _sign(check) == "≥ " else "too high"
        more = wanted or ("" if _generic(check, reason) else reason)
        return f"{size} {side}" + (f"; {more}" if more else "")
    return (wanted if light == "fail" else "") or reason


def turns(checks: Sequence[Check]) -> list[str]:
    """What would turn each check of a table; a wait for the same as in the row above says so."""
    said = [turn(check) for check in checks]
    waits = [check_tone(check) == "wait" for check in checks]
    return [
        "as above" if k and waits[k] and waits[k - 1] and text and text == said[k - 1] else text
        for k, text in enumerate(said)
    ]


def _said(check: Check) -> str:
    """The reason of a check without its own id in front."""
    reason = str(check.get("reason") or "")
    own = f"{check.get('id')} is "
    return reason[len(own) :] if reason.startswith(own) else reason


def minus(text: str) -> str:
    """A text that begins with a negative number, with a real minus sign."""
    return f"−{text[1:]}" if re.match(r"-\d", text) else text


def _generic(check: Check, reason: str) -> bool:
    """Whether a reason only repeats id, value and threshold."""
    return not reason or bool(re.match(rf"{re.escape(str(check.get('id')))} \S+ is ", reason))


def value(check: Check) -> str:
    """The value of a check; nothing where it only repeats the reason."""
    found, reason = check.get("value"), check.get("reason")
    return "–" if found == reason or found == "" else _short(found, str(check.get("id", "")))


def _short(found: Any, name: str) -> str:
    """A figure; of a hash its beginning, as the whole of it stands among the inputs."""
    text = figure(found, name)
    return f"{text[:8]}…" if re.fullmatch(r"[0-9a-f]{32,}", text) else text


def picture_tone(kind: str, doc: Document) -> str:
    """The worst light of the checks that a picture shows; empty when there is none."""
    starts = SHOWN_BY.get(kind, ())
    shown = [c for gate in doc.gates for c in deciding(gate)]
    found = [check_tone(c) for c in shown if starts and str(c.get("id", "")).startswith(starts)]
    return next((one for one in ("fail", "wait", "pass") if one in found), "")


def deciding(gate: Check) -> list[Check]:
    """The checks of a gate that decide."""
    checks = gate.get("checks") or ()
    return [c for c in checks if c.get("applicable", True) and c.get("blocking", True)]


def judging(doc: Document) -> list[Check]:
    """The gates that a verdict follows from; an advisory one has its own and changes nothing."""
    return [gate for gate in doc.gates if not gate.get("advisory")]


def by_urgency(gate: Check) -> list[Check]:
    """The checks of a gate: failed, open, passed, not applicable."""
    return sorted(gate.get("checks") or (), key=lambda check: ORDER.index(check_tone(check)))


def overall(doc: Document) -> str:
    """The document's verdict: its own, else what its gates come to."""
    if doc.verdict:
        return doc.verdict
    found = [tone(gate.get("verdict", "")) for gate in judging(doc)]
    if not found:
        return ""
    return "FAIL" if "fail" in found else "INSUFFICIENT" if "wait" in found else "PASS"


HEADLINES = {
    "PASS": "Passed",
    "FAIL": "Not passed",
    "INSUFFICIENT": "Not decided yet",
    "HOLD": "Hold",
    "ESCALATE": "One rung up",
    "ESCALATED": "One rung up",
    "CANARY": "Hold",
    "ROLLBACK": "Roll back",
    "LADDER_CAPPED": "Capped",
}


def headline(doc: Document) -> str:
    """The verdict in one or two words."""
    word = str(overall(doc)).upper()
    plain = word.replace("_", " ").lower()
    return HEADLINES.get(word, plain[:1].upper() + plain[1:])


def sentence(doc: Document) -> str:
    """The verdict line: the document's own words, else what its gates say."""
    if doc.words or not doc.gates:
        return doc.words
    by_light: dict[str, list[Check]] = {"fail": [], "wait": [], "pass": [], "none": []}
    for gate in judging(doc):
        by_light[tone(gate.get("verdict", ""))].append(gate)
    parts = [_gate_sentence(gate) for gate in by_light["fail"] + by_light["wait"]]
    passed = [str(gate.get("gate")) for gate in by_light["pass"]]
    if passed:
        gates = f"Gate {passed[0]} passes" if len(passed) == 1 else f"Gates {_and(passed)} pass"
        parts.append(gates + (f"; the closest line is {close}" if (close := closest(doc)) else ""))
    return " ".join(f"{part}." for part in parts)


def _gate_sentence(gate: Check) -> str:
    light, checks = tone(gate.get("verdict", "")), deciding(gate)
    guilty = [c for c in checks if check_tone(c) == light]
    rest = sum(check_tone(c) == "pass" for c in checks)
    names = _and([_guilty(c) for c in guilty[:3]]) if guilty else str(gate.get("reason") or "")
    more = f" and {len(guilty) - 3} more" if len(guilty) > 3 else ""
    verb = "fails on" if light == "fail" else "is open on"
    others = f"; {rest} of {len(checks)} checks pass" if rest else ""
    return f"{gate_name(gate)} {verb} {names}{more}{others}"


def _guilty(check: Check) -> str:
    limit = needed(check)
    found, name = check.get("value"), check_name(check)
    if found is None or isinstance(found, bool) or limit in ("–", "0"):
        return name
    return f"{name} ({value(check)}, needed {limit})"


# Counts that hft chooses itself: how near they are to their threshold says nothing of the alpha.
OURS = frozenset({"cuts", "leak_cuts"})


def closest(doc: Document) -> str:
    """The passing check nearest to its threshold."""
    found = [
        (share, check)
        for gate in judging(doc)
        for check in deciding(gate)
        if check_tone(check) == "pass"
        and check.get("id") not in OURS
        and (share := share_of_threshold(check))
    ]
    return _guilty(min(found, key=lambda pair: pair[0])[1]) if found else ""


def shopping(doc: Document) -> list[tuple[str, str, str]]:
    """What would turn the verdict: (tone, which gate, what); the verdict's own kind first."""
    missing = [("wait", "", str(one)) for one in doc.missing]
    failed: list[tuple[str, str, str]] = []
    for gate in judging(doc):
        name, checks = gate_name(gate), deciding(gate)
        failed += [
            ("fail", name, f"{_guilty(c)}: {turn(c)}") for c in checks if check_tone(c) == "fail"
        ]
        if not doc.missing:
            named = {
                str(t): check_name(c) for c in reversed(checks) for t in c.get("missing") or ()
            }
            silent = [c for c in checks if check_tone(c) == "wait" and not c.get("missing")]
            missing += [("wait", name, _named(one, named)) for one in gate.get("missing") or ()]
            missing += [("wait", name, f"{check_name(c)}: {turn(c)}") for c in silent]
    if len(failed) > FAILED_MAX:
        rest = len(failed) - FAILED_MAX + 1
        failed = [*failed[: FAILED_MAX - 1], ("fail", "", f"and {rest} more checks fail")]
    return missing + failed if tone(overall(doc)) == "wait" else failed + missing


def _named(missing: Any, checks: Mapping[str, str]) -> str:
    """What is missing, with the check that asks for it in front; "18 more days" says it alone."""
    text = str(missing)
    name = checks.get(text, "")
    return f"{name}: {text}" if name and not text[:1].isdigit() else text


def _and(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"

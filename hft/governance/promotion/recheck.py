"""What approval checks again before a signature counts: nothing in a bundle is taken on trust.

Each objection is one sentence that names what moved or who is missing. Pure: the facts as they are
now come in as arguments.
"""

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from hft.governance.profile import Profile
from hft.governance.promotion.bundle import HASHES, Bundle
from hft.statistics.deflated import deflated_sharpe
from hft.storage.chain import canonical

WORDS = {
    "code": "the alpha's code",
    "config": "the validation's configuration",
    "data": "the validation's data",
    "limits": "the limits file",
    "scorecard": "the scorecard",
    "simulator": "the simulator's validation report",
    "thresholds": "the thresholds of the profile",
}
RELATIVE, ABSOLUTE = 1e-9, 1e-15
ATTEMPTS_NS = 365 * 86_400_000_000_000


@dataclass(frozen=True)
class Hurdle:
    """The trial behind the scorecard, and the family as the ledger has it now.

    Per-period figures; `effective` and `variance` are those of all trials on this data and label.
    """

    sharpe: float | None
    n_obs: int
    skew: float | None
    kurtosis: float | None
    n: int
    effective: float
    variance: float | None

    @property
    def dsr(self) -> float | None:
        """The deflated Sharpe ratio with every trial counted that there is now."""
        if self.sharpe is None or self.variance is None:
            return None
        return deflated_sharpe(
            self.sharpe, self.n_obs, self.skew, self.kurtosis, self.effective, self.variance
        )


def _changed(bundle: Bundle, now: Mapping[str, Any]) -> list[str]:
    """Each threshold that is another one than at the proposal."""
    then = bundle.data["thresholds"]
    return [
        f"{key} was {then.get(key)} at the proposal and is {now.get(key)} now; promote again"
        for key in sorted({*then, *now})
        if then.get(key) != now.get(key)
    ]


@dataclass(frozen=True, eq=False)
class Again:
    """The validation's own trial run once more, beside what the ledger keeps of it.

    `figures`: the scorecard's fields that data, code and configuration decide; `trial`: the row it
    would be, `recorded` those under its id, `kept` the ledger's returns; `verdicts`: gate to
    verdict and reason, as decided now; `correlation`: the largest with the pool of now; `claim`:
    what a canary is held against, as far as data and options decide it.
    """

    trial_id: str
    figures: Mapping[str, Any]
    trial: Mapping[str, Any]
    recorded: Sequence[Mapping[str, Any]]
    returns: np.ndarray
    kept: np.ndarray | None
    verdicts: Mapping[str, tuple[str, str]]
    correlation: float | None
    claim: Mapping[str, Any] = field(default_factory=dict)


def moved(
    bundle: Bundle, now: Mapping[str, str | None], thresholds: Mapping[str, Any]
) -> list[str]:
    """What is not as it was frozen; a hash that cannot be made now has moved too.

    `thresholds` are those in force: each that differs is named.
    """
    found = []
    for name in HASHES:
        frozen, current = bundle.hashes[name], now.get(name)
        if frozen == current:
            continue
        if frozen is None:
            continue  # nothing was frozen, and nothing was asked for
        if name == "thresholds" and (changed := _changed(bundle, thresholds)):
            found += changed
            continue
        how = "cannot be read any more" if current is None else "moved since the proposal"
        found.append(f"{WORDS[name]} {how}: {frozen[:12]} then, {(current or 'nothing')[:12]} now")
    return found


def measured(bundle: Bundle, again: Again | None, unmeasured: str = "") -> list[str]:
    """Where the frozen evidence is not what a second measurement gives; each figure is named."""
    if again is None:
        return [f"the scorecard cannot be measured again: {unmeasured or 'nobody did'}"]
    return [
        *_frozen_whole(bundle),
        *_scorecard(bundle.data["scorecard"], again.figures),
        *_trial(bundle, again),
        *_verdicts(bundle, again.verdicts),
        *_pool(bundle, again.correlation),
        *_claim(bundle, again.claim),
    ]


def _frozen_whole(bundle: Bundle) -> list[str]:
    digest = hashlib.sha256(canonical(bundle.data["scorecard"])).hexdigest()
    if digest == bundle.hashes["scorecard"]:
        return []
    return ["the scorecard in the bundle is not the one whose hash the bundle names"]


def _scorecard(card: Mapping[str, Any], figures: Mapping[str, Any]) -> list[str]:
    names = [name for name in figures if card.get(name, "nothing") != figures[name]]
    then = _flat({name: card.get(name, "nothing") for name in names})
    now = _flat({name: figures[name] for name in names})
    return [
        f"{name}: {_shown(then.get(name))} in the bundle's scorecard, "
        f"{_shown(now.get(name))} measured again"
        for name in sorted({*then, *now})
        if not _same(then.get(name), now.get(name))
    ]


def _trial(bundle: Bundle, again: Again) -> list[str]:
    """The ledger's row and returns of the trial, which the hurdle is computed with."""
    named = str(bundle.data["validation"]["trial_id"])
    if named != again.trial_id:
        return [f"trial_id: {named} in the bundle, {again.trial_id} measured again"]
    if not again.recorded or again.kept is None:
        return [f"the ledger does not have trial {named} with its returns"]
    wrong = [_row_differs(row, again.trial) for row in again.recorded]
    found = [] if "" in wrong else [f"trial {named}: {wrong[-1]}"]
    differs = _returns_differ(again.kept, again.returns)
    return [*found, *([f"trial {named}: {differs}"] if differs else [])]


def _row_differs(row: Mapping[str, Any], trial: Mapping[str, Any]) -> str:
    for name, value in trial.items():
        if not _same(row.get(name), value):
            return f"{name}: {_shown(row.get(name))} in the ledger, {_shown(value)} measured again"
    return ""


def _returns_differ(kept: np.ndarray, returns: np.ndarray) -> str:
    if len(kept) != len(returns):
        return f"{len(kept)} returns in the ledger, {len(returns)} measured again"
    off = np.flatnonzero(~np.isclose(kept, returns, rtol=RELATIVE, atol=ABSOLUTE))
    if not len(off):
        return ""
    at = int(off[0])
    return (
        f"{len(off)} of {len(returns)} returns differ, the first in period {at}: "
        f"{_shown(float(kept[at]))} in the ledger, {_shown(float(returns[at]))} measured again"
    )


def _verdicts(bundle: Bundle, now: Mapping[str, tuple[str, str]]) -> list[str]:
    """What passed then must pass now. A forced bundle says itself what evidence it lacks; that an
    alpha looks ahead cannot be forced away.
    """
    found = []
    for gate, (verdict, reason) in sorted(now.items()):
        passed = bundle.data["verdicts"][gate]["verdict"] == "PASS"
        waived = bundle.forced and (gate, verdict) != ("A", "FAIL")
        if passed and verdict != "PASS" and not waived:
            found.append(f"gate {gate} is {verdict} when it is decided again: {reason}")
    return found


def _pool(bundle: Bundle, now: float | None) -> list[str]:
    """The pool grows, so that the figure may move; it may not hide one that is too high."""
    then = bundle.data["scorecard"].get("correlation_pool_max")
    most = bundle.profile.values.get("gate_d.correlation_pool_max")
    passed = bundle.data["verdicts"]["D"]["verdict"] == "PASS"
    if now is None or most is None or not passed or now <= float(most):
        return []
    return [
        f"correlation_pool_max: {_shown(then)} in the bundle's scorecard, {_shown(now)} measured "
        f"again, at most {float(most):g}"
    ]


def _claim(bundle: Bundle, now: Mapping[str, Any]) -> list[str]:
    """The frozen claim: a wider spread or a deeper drawdown would keep a canary that loses."""
    frozen: Mapping[str, Any] = bundle.data["claim"] or {}
    then = _flat({name: frozen.get(name) for name in now})
    again = _flat(now)
    found = [
        f"claim.{name}: {_shown(then.get(name))} in the bundle, {_shown(again.get(name))} "
        "measured again"
        for name in sorted({*then, *again})
        if not _same(then.get(name), again.get(name))
    ]
    lots, target = frozen.get("lots"), bundle.data["plan"].get("target_lots")
    if now and frozen and lots != target:
        found.append(f"claim.lots: {lots} in the bundle, its plan has {target}")
    return found


def _flat(values: Mapping[str, Any], head: str = "") -> dict[str, Any]:
    """Mappings within by dotted names."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping) and value:
            found |= _flat(value, f"{head}{name}.")
        else:
            found[f"{head}{name}"] = value
    return found


def _same(then: Any, now: Any) -> bool:
    """Equal; numbers to the last digits, which another processor may round differently."""
    numbers = [isinstance(one, int | float) and not isinstance(one, bool) for one in (then, now)]
    if all(numbers):
        return math.isclose(then, now, rel_tol=RELATIVE, abs_tol=ABSOLUTE)
    return bool(then == now)


def _shown(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def stale(bundle: Bundle, now_ns: int, bundle_days: int) -> list[str]:
    """Is the bundle too old, or of the future?"""
    age = bundle.age_days(now_ns)
    if age > bundle_days:
        return [f"the bundle is {age:.1f} days old; at most {bundle_days}"]
    return ["the bundle is of the future; check the clock"] if age < 0 else []


def heads_gone(bundle: Bundle, problems: Sequence[Any]) -> list[str]:
    """The ledger as `verify` with the bundle's heads found it."""
    return [f"the ledger is not whole: {getattr(one, 'sentence', one)}" for one in problems]


def hurdle(bundle: Bundle, facts: Hurdle | None) -> list[str]:
    """Does the alpha still pass with the trials that were added since?"""
    level = bundle.profile.values.get("gate_c.dsr_min")
    if level is None or bundle.forced:
        return []
    if facts is None:
        return []  # without its trial in the ledger, which `measured` says
    value = facts.dsr
    if value is None or value < float(level):
        shown = "undefined" if value is None else f"{value:.4f}"
        return [
            f"with {facts.n} trials on this data now the deflated Sharpe ratio is {shown}, "
            f"below {float(level):g}"
        ]
    return []


def attempts(starts_ns: Sequence[int], now_ns: int, profile: Profile) -> list[str]:
    """At most so many canaries a year."""
    most = int(profile.number("canary.attempts_max"))
    year = [ts for ts in starts_ns if ts > now_ns - ATTEMPTS_NS]
    if len(year) < most:
        return []
    return [f"it had {len(year)} canaries within a year; at most {most}"]

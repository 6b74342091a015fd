"""Gate F, the compiled twin: does a faster form of the alpha say the same, and is it no slower?

Advice of the profile `base`, asked for by `--gate-f`: it has a verdict of its own and is no part of
the alpha's. What was measured in seconds stands in its report; here only what follows from it.
"""

from dataclasses import dataclass

from hft.governance.profile import Profile
from hft.governance.verdict import Check, GateResult, Verdict, holds, insufficient, not_applicable


@dataclass(frozen=True)
class Twin:
    """What was run of the compiled form.

    `imported` is None without a `rust_module`; `parity` None where the alpha has no parity tests;
    `slower` the share by which a row takes longer than in the code before, None without one.
    """

    imported: bool | None
    imported_reason: str
    parity: bool | None
    parity_reason: str
    slower: float | None
    slower_reason: str = ""


def gate_f(found: Twin, profile: Profile) -> GateResult:
    """The module, its parity tests, and the time a row takes."""
    checks = (_module(found), _parity(found), _speed(found, profile))
    return GateResult("F", checks, advisory=True)


def _module(found: Twin) -> Check:
    if found.imported is None:
        return not_applicable("rust_module", found.imported_reason)
    return holds("rust_module", found.imported, found.imported_reason)


def _parity(found: Twin) -> Check:
    if found.parity is None:
        missing = ("a test of the alpha with `parity` in its name",)
        return insufficient("parity_tests", found.parity_reason, missing)
    return holds("parity_tests", found.parity, found.parity_reason)


def _speed(found: Twin, profile: Profile) -> Check:
    """Without a value where it passes: seconds are of one machine and no page holds them."""
    limit = profile.number("gate_f.regression_max")
    if found.slower is None:
        return not_applicable("benchmark", found.slower_reason)
    if found.slower <= limit:
        return Check("benchmark", None, limit, Verdict.PASS)
    reason = f"a row takes {found.slower:.0%} longer than with the code before"
    return Check("benchmark", None, limit, Verdict.FAIL, reason=reason)

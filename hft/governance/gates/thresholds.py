"""How a gate asks a profile: one figure, one key, one way to say that it is not asked for.

A key that ends in `_max` is an upper bound, any other a lower one.
"""

from typing import Any

from hft.governance.profile import Profile
from hft.governance.verdict import Check, at_least, at_most, not_applicable


def asked(profile: Profile, key: str, id: str, value: float | None, **more: Any) -> Check:
    """One figure against one threshold; not applicable where the profile does not ask.

    `more` is what `at_least` takes: `reason`, `undefined`, `missing`, `blocking`.
    """
    if profile.get(key) is None:
        return unasked(profile, id, value)
    compare = at_most if key.endswith("_max") else at_least
    return compare(id, None if value is None else float(value), profile.number(key), **more)


def unasked(profile: Profile, id: str, value: Any = None) -> Check:
    """A check that this profile does not ask for."""
    return not_applicable(id, f"profile {profile.name} does not ask", value)

"""What a broker's quote callback brought, guarded by its schema: accepted, or refused and told.

Version 1 is a mapping or an object with a code and either both best prices or a close. Anything
else is refused, counted by its reason, and told once a minute and reason. Not strict, the guard may
go down to version 0 once, which takes whatever has a code and a price.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Literal, NamedTuple

from hft.core.errors import ConfigError
from hft.services.ports import AlertKind, Now

MINUTE_NS = 60_000_000_000
Version = Literal["v0", "v1", "auto"]
Alert = Callable[[AlertKind, str], None]


class Quote(NamedTuple):
    """One quote as it was said. Units: prices in currency, exact; None where it was not told."""

    code: str
    bid: Decimal | None
    ask: Decimal | None
    close: Decimal | None
    volume: Decimal | None


class QuoteGuard:
    """The gate for one feed. `mismatches` counts refusals by reason, `switches` by direction."""

    def __init__(
        self, alert: Alert, now_ns: Now, *, version: Version = "v1", strict: bool = True
    ) -> None:
        if version not in ("v0", "v1", "auto"):
            raise ConfigError(f"HFT_QUOTE_VERSION: {version!r} is none of v0, v1, auto")
        self.version = "v0" if version == "v0" else "v1"
        self._strict = strict
        self._alert, self._now_ns = alert, now_ns
        self.mismatches: Counter[str] = Counter()
        self.switches: Counter[str] = Counter()
        self._told_ns: dict[str, int] = {}

    def read(self, *said: Any) -> Quote | None:
        """The quote of one callback; None when it was refused."""
        reason, found = self._check(said)
        if reason and not self._strict and self.version == "v1" and _loose(said) is not None:
            self.version = "v0"
            self.switches["v1_to_v0"] += 1
            self._tell("downgrade", f"quotes are not of version 1 ({reason}); read as version 0")
        if reason and self.version == "v0":
            found = _loose(said)
        if found is None:
            self.mismatches[reason] += 1
            self._tell(reason, f"a quote was refused: {reason}")
        return found

    def _check(self, said: tuple[Any, ...]) -> tuple[str, Quote | None]:
        if not said:
            return "empty call", None
        first = said[0]
        if isinstance(first, str):
            if "/" not in first and ":" not in first:
                return "unknown shape", None
            return ("topic-like first argument" if len(said) > 1 else "missing payload"), None
        if first is None:
            return "missing payload", None
        found = _quote(first)
        complete = found is not None and (
            (found.bid is not None and found.ask is not None) or found.close is not None
        )
        return ("", found) if complete else ("unknown shape", None)

    def _tell(self, reason: str, said: str) -> None:
        now_ns = self._now_ns()
        last_ns = self._told_ns.get(reason)
        if last_ns is None or now_ns - last_ns >= MINUTE_NS:
            self._told_ns[reason] = now_ns
            self._alert(AlertKind.QUOTE_SCHEMA, said)


def _loose(said: tuple[Any, ...]) -> Quote | None:
    """Version 0: the last argument that has a code and any price."""
    for one in reversed(said):
        found = _quote(one)
        if found is not None and any(price is not None for price in found[1:4]):
            return found
    return None


def _quote(payload: Any) -> Quote | None:
    """The fields of a payload; None without a code, or with a price that is no number."""
    code = _field(payload, "code") or _field(payload, "Code")
    if not isinstance(code, str):
        return None
    try:
        names = ("bid_price", "ask_price", "close", "volume")
        return Quote(code, *(_number(_field(payload, name)) for name in names))
    except (InvalidOperation, TypeError, ValueError):
        return None


def _field(payload: Any, name: str) -> Any:
    found = payload.get(name) if isinstance(payload, Mapping) else getattr(payload, name, None)
    return found[0] if isinstance(found, list | tuple) and found else found


def _number(given: Any) -> Decimal | None:
    if given is None:
        return None
    if isinstance(given, bool):
        raise ValueError("a flag is no number")
    found = Decimal(str(given))
    if not found.is_finite():
        raise ValueError("not finite")
    return found

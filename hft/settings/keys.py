"""Every key of the configuration: its type, default, range and unit.

The table is the only place that knows a key; validation, `hft config show` and the test that holds
`config/default.yaml` complete all read it. A `*` in a name stands for an id or a symbol. The limits
are those of `gateway.limits`: unset here, the limits file of the run decides.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from hft.gateway import limits
from hft.gateway.limits import LimitKey
from hft.gateway.ranges import CHOICES, WHOLE, bounds

Kind = Literal["bool", "int", "number", "money", "text", "path", "choice", "numbers", "secret"]


@dataclass(frozen=True)
class Key:
    """One key; `low` and `high` are inclusive, `length` is that of a list."""

    name: str
    kind: Kind
    default: Any
    unit: str
    low: int | None = None
    high: int | None = None
    choices: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    length: int = 0
    limit: bool = False
    scaled: bool = False  # may be written with the suffix `_x`, as an integer x 10 000
    outside: bool = (
        False  # of the environment alone: what a workspace says of itself proves nothing
    )

    @property
    def path(self) -> tuple[str, ...]:
        return tuple(self.name.split("."))

    @property
    def variables(self) -> tuple[str, ...]:
        """Names in the environment, the winning one first."""
        if "*" in self.name:
            return ()
        if self.name.startswith("HFT_"):
            return (self.name,)
        derived = "HFT_" + self.name.replace(".", "_").upper()
        prefixed = (f"HFT_{alias}" for alias in self.aliases)
        return tuple(dict.fromkeys((derived, *prefixed, *self.aliases)))

    def matches(self, path: tuple[str, ...]) -> bool:
        """True when `path` names this key, a `*` standing for any one part."""
        return len(path) == len(self.path) and all(
            mine in ("*", theirs) for mine, theirs in zip(self.path, path, strict=True)
        )


# Names in the environment besides the derived ones.
_ALIASES = ("max_position_size", "max_daily_loss", "circuit_breaker_threshold")


def _from_limit(limit: LimitKey) -> Key:
    """The key by which the settings override a limit of the limits file."""
    kind: Kind = "number"
    if limit.name in CHOICES:
        kind = "choice"
    elif limit.length:
        kind = "numbers"
    elif limit.kind in ("bool", "text", "money"):
        kind = limit.kind
    elif limit.kind == "lots" or limit.name in WHOLE:
        kind = "int"
    low, high = bounds(limit.name, limit.kind)
    return Key(
        limit.name,
        kind,
        None,
        "" if kind in ("bool", "choice") else limit.unit,
        low=low if kind in ("int", "number", "money", "numbers") else None,
        high=high,
        choices=CHOICES.get(limit.name, ()),
        aliases=(limit.name.upper(),) if limit.name in _ALIASES else (),
        length=limit.length,
        limit=True,
        scaled=limit.kind in limits.SCALED,
    )


KEYS: tuple[Key, ...] = (
    Key("HFT_LIMITS", "text", "research", "name in config/limits, path, or fit"),
    Key("HFT_INSTRUMENTS", "path", "config/instruments.yaml", "path"),
    Key("replay.record", "choice", "full", "", choices=("digest", "summary", "full")),
    Key("replay.out", "path", "runs", "path"),
    Key("replay.cache", "bool", True, ""),
    Key("runs.max_journal_gb", "number", 4, "GB, 0 = any size", low=0, high=1_000_000),
    Key("runs.snapshot_s", "number", 60, "s of wall time, 0 = none", low=0, high=86_400),
    Key("venue.fills", "choice", "capped", "", choices=("capped", "whole")),
    Key("fees.maker_bps", "number", None, "bps; unset: the instrument's", low=-100, high=1000),
    Key("fees.taker_bps", "number", None, "bps; unset: the instrument's", low=-100, high=1000),
    Key("HFT_DEDUP_WINDOW_SIZE", "int", 10_000, "keys", low=1, high=1 << 24),
    Key("HFT_ORDER_QUEUE_SIZE", "int", 4096, "orders and commands", low=16, high=1 << 20),
    Key("HFT_GATEWAY_HALT_CANCEL", "bool", True, "only 1"),
    Key("HFT_GATEWAY_STARTUP_HOLDOFF_S", "int", 0, "s", low=0, high=86_400),
    Key("HFT_KEYS", "path", "config/keys.yaml", "path"),
    Key("HFT_SIGNING_KEY", "path", None, "path of the own key"),
    Key("HFT_TRUST_ROOT", "path", None, "path outside of the workspace", outside=True),
    Key("HFT_ANCHOR_REMOTE", "text", None, "git URL, or an absolute path", outside=True),
    Key("HFT_ALPHA_REGISTRY", "path", None, "path of a folder the desk shares", outside=True),
    Key("HFT_PROMOTIONS_DIR", "path", "config/strategy_promotions", "path"),
    Key("HFT_AUDIT_DSN", "text", "chdb://.state/audit.chdb", "DSN; relative to the workspace"),
    Key("HFT_CLICKHOUSE_HOST", "text", "localhost", "name; for a DSN without one"),
    Key("HFT_CLICKHOUSE_PORT", "int", 8123, "TCP; for a DSN without one", low=1, high=65535),
    Key("HFT_AUDIT_JOURNAL_DIR", "path", ".state/audit", "path"),
    Key("HFT_WAL_DIR", "path", ".wal", "path; relative to the workspace"),
    Key("HFT_RECORDER", "path", "config/recorder.yaml", "path; relative to the workspace"),
    Key("HFT_ALPHA_AUDIT_ENABLED", "bool", True, "0 stops delivery, never the journal"),
    Key("HFT_AUDIT_HMAC_KEY_FILE", "path", None, "path"),
    Key("AUDIT_HMAC_KEY", "secret", None, "base64", aliases=("AUDIT_HMAC_KEY",)),
    Key("audit.ttl_days", "int", 0, "days; only 0", low=0, high=0),
    Key("HFT_ALPHA_PROFILE", "choice", "standard", "", choices=("standard", "tier1", "base")),
    Key("HFT_CANARY_ESCALATION_SESSIONS", "int", 10, "sessions", low=1, high=1000),
    Key("HFT_CANARY_SHARPE_RATIO", "number", Decimal("0.8"), "ratio", low=0, high=10),
    Key("alpha.expiry_days", "int", None, "days; unset: the profile's", low=1, high=3650),
    Key("alpha.bundle_days", "int", 14, "days", low=1, high=365),
    Key("alpha.vault_looks", "int", 3, "looks at a vault, whoever looks", low=0, high=1000),
    Key("alpha.split", "numbers", [40, 40, 20], "%", low=0, high=100, length=3),
    Key("alpha.search_cache_mb", "int", 2048, "MB", low=16, high=1 << 20),
    Key("alpha.rehearsal", "bool", False, "a workspace whose clock `--now` may set"),
    *(_from_limit(limit) for limit in limits.KEYS),
)

# Read elsewhere, so known and not refused here: the kernels' cache folder (`core.jit`, which is
# below the line), and what the tests read.
OTHER_VARIABLES = ("HFT_CACHE_DIR", "HFT_TEST_DATA")


def find_key(path: tuple[str, ...]) -> Key | None:
    """The key that `path` names, or None."""
    return next((key for key in KEYS if key.matches(path)), None)


def variables() -> Iterator[tuple[str, Key]]:
    """Each name in the environment with its key, the winning name of a key first."""
    for key in KEYS:
        for name in key.variables:
            yield name, key

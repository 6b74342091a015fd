"""`Venue`: the simulated venue as a user writes it, with presets; becomes a `VenueModel`.

Fees here replace the instrument's own; latencies are durations such as "250us" per leg, or one for
all legs. Calibration against own fills (`fit`), funding and sessions are not part of it yet.
"""

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from hft.core.errors import ConfigError
from hft.core.instruments import Instrument
from hft.market.book import CROSSED
from hft.runs.code.edits import refuse_edited
from hft.runs.code.location import file_of
from hft.runs.code.sources import find_queue, rebuild_queue
from hft.runs.durations import bounded_ns
from hft.runs.nearest import nearest
from hft.strategies.base import refuse_bare
from hft.venue.model import Latency, VenueModel
from hft.venue.user_queue import QueueModel

LEGS = ("entry", "amend", "cancel", "response")
FILLS = ("capped", "whole")
FEES = ("maker_bps", "taker_bps", "per_lot", "per_order")
# What a preset takes by name, and a venue that is written as a mapping.
FIELDS = (
    *("latency", "queue", "queue_power", "fees", "fills", "taken", "crossed"),
    "amend_keeps_priority",
)
WRITTEN = ("preset", *FIELDS[:-1])
FEE_BPS_MAX, FEE_MAX = 10_000, 1_000_000


@dataclass(frozen=True)
class Venue:
    """How orders are delayed, queued, filled and charged.

    `latency`: one duration, or {leg: duration | ("uniform", base, spread) | [samples]} with legs
    entry, amend, cancel, response; `queue`: risk_averse, prob_log, prob_sqrt, prob_power, fifo, or
    one of your own made by `@hft.queue_model`;
    `fees`: {"maker_bps": ..., "taker_bps": ..., "per_lot": ..., "per_order": ...}; `fills`: capped
    by what the tape shows, or whole; `taken`: what we took stays taken until its level falls, or is
    back once its level is restated; `crossed`: a level that the other side crossed returns when
    what crossed it goes, or once the tape restates it. What is unset is decided by the settings
    (`venue.fills`, `fees`), then by the instrument. Raises: ConfigError naming the field.

    >>> import hft
    >>> venue = hft.Venue(latency="1ms", queue="prob_log", fees={"maker_bps": 0, "taker_bps": 2})
    >>> venue.model().legs["entry"].base_ns
    1000000
    """

    latency: Any = None
    queue: str | QueueModel = "risk_averse"
    fees: Mapping[str, Any] | None = None
    fills: str | None = None
    queue_power: float = 2.0
    amend_keeps_priority: bool = True
    name: str = "custom"
    taken: str = "stays"
    crossed: str = CROSSED[0]
    _model: VenueModel = field(init=False, repr=False, compare=False)

    def __new__(cls, *given: Any, **other: Any) -> "Venue":
        if given and isinstance(given[0], str) and given[0] in PRESETS:
            rest = ", ".join(f"{key}={value!r}" for key, value in other.items())
            said = f"{given[0]!r} is a venue of its own"
            raise ConfigError(f"{said}: hft.Venue.{given[0]}({rest})")
        return super().__new__(cls)

    def __post_init__(self) -> None:
        if self.fills is not None and self.fills not in FILLS:
            raise ConfigError(f"venue.fills: {self.fills!r} is not one of {', '.join(FILLS)}")
        for key, value in _mapping(self.fees).items():
            _fee(key, value)
        model = VenueModel(
            _legs(self.latency),
            self.queue,
            self.queue_power,
            self.fills != "whole",
            self.amend_keeps_priority,
            self.taken,
            self.crossed,
        )
        object.__setattr__(self, "_model", model)

    def model(self) -> VenueModel:
        """The settings as the engine takes them."""
        return self._model

    def charge(self, instrument: Instrument) -> Instrument:
        """The instrument with this venue's fees instead of its own."""
        fees = self.fees or {}
        return replace(
            instrument,
            maker_bps=_fee("maker_bps", fees.get("maker_bps", instrument.maker_bps)),
            taker_bps=_fee("taker_bps", fees.get("taker_bps", instrument.taker_bps)),
        )

    def flat_fees(self) -> tuple[Decimal, Decimal]:
        """Fees in currency per lot and per order."""
        return self._amount("per_lot"), self._amount("per_order")

    def settled(self, fills: str, fees: Mapping[str, Any]) -> "Venue":
        """The venue with what it leaves unset taken from the settings."""
        own = {key: value for key, value in fees.items() if value is not None}
        merged = own | dict(self.fees or {})
        return replace(self, fills=self.fills or fills, fees=merged or None)

    def _amount(self, name: str) -> Decimal:
        return _fee(name, (self.fees or {}).get(name, 0))

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready; what the run's manifest keeps and its configuration hash covers."""
        return {
            "name": self.name,
            "latency": {
                leg: {
                    "kind": row.kind,
                    "base_ns": row.base_ns,
                    "spread_ns": row.spread_ns,
                    "table": list(row.table),
                }
                for leg, row in sorted(self._model.legs.items())
            },
            "queue": _queue_entry(self.queue),
            "queue_power": self.queue_power,
            "fees": {k: _digits(_fee(k, v)) for k, v in sorted((self.fees or {}).items())},
            "fills": self.fills or FILLS[0],
            "amend_keeps_priority": self.amend_keeps_priority,
            "taken": self.taken,
            "crossed": self.crossed,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Venue":
        """The inverse of `to_dict`."""
        legs = {
            leg: Latency(row["kind"], row["base_ns"], row["spread_ns"], tuple(row["table"]))
            for leg, row in data["latency"].items()
        }
        return cls(
            legs,
            rebuild_queue(data["queue"]),
            dict(data["fees"]) or None,
            data["fills"],
            data["queue_power"],
            data["amend_keeps_priority"],
            data["name"],
            data.get("taken", "restated"),  # the only rule there was before it had a name
            data.get("crossed", "restated"),  # so, too
        )

    @classmethod
    def binance_usdm(cls, **other: Any) -> "Venue":
        """USD-M futures: 5 ms to the matching engine, 5 ms back; fees of the instrument.

        As in every preset, a field of `Venue` by name is put in place of the preset's.

        >>> import hft
        >>> hft.Venue.binance_usdm(latency="8ms").queue
        'prob_log'
        """
        return cls("5ms", "prob_log", name="binance_usdm", amend_keeps_priority=True)._with(other)

    @classmethod
    def binance_coinm(cls, **other: Any) -> "Venue":
        """COIN-M futures; as USD-M."""
        return cls("5ms", "prob_log", name="binance_coinm")._with(other)

    @classmethod
    def binance_spot(cls, **other: Any) -> "Venue":
        """Spot: an amend loses priority, since it is a cancel and replace there."""
        made = cls("5ms", "prob_log", name="binance_spot", amend_keeps_priority=False)
        return made._with(other)

    @classmethod
    def cme(cls, **other: Any) -> "Venue":
        """CME Globex with exact queues where the tape has order ids: 250 us a leg."""
        return cls("250us", "fifo", name="cme")._with(other)

    @classmethod
    def nasdaq(cls, **other: Any) -> "Venue":
        """NASDAQ: 250 us a leg, exact queues where the tape has order ids."""
        return cls("250us", "fifo", name="nasdaq")._with(other)

    def _with(self, other: Mapping[str, Any]) -> "Venue":
        for key in other:
            if key not in FIELDS:
                near = nearest(key, FIELDS)
                raise ConfigError(f"venue: {key!r} is none of {', '.join(FIELDS)}{near}")
        return replace(self, **other) if other else self


# As a call has them; without it, help() would show the arguments of __new__.
_own = list(inspect.signature(Venue.__init__).parameters.values())[1:]
Venue.__signature__ = inspect.Signature(_own)  # type: ignore[attr-defined]

PRESETS = ("binance_usdm", "binance_coinm", "binance_spot", "cme", "nasdaq")


def named(name: str) -> Venue:
    """A preset by name. Raises: ConfigError listing the names."""
    if name not in PRESETS:
        raise ConfigError(
            f"venue {name!r} is not one of {', '.join(PRESETS)}{nearest(name, PRESETS)}"
        )
    preset: Venue = getattr(Venue, name)()
    return preset


def written(given: Mapping[str, Any], folder: Path | None = None) -> Venue:
    """A venue as a mapping: a preset, and what is written beside it on top.

    A file of queue models is looked for from `folder`. Raises: ConfigError naming the field.
    """
    for key in given:
        if key not in WRITTEN:
            near = nearest(key, WRITTEN)
            raise ConfigError(f"venue: {key!r} is none of {', '.join(WRITTEN)}{near}")
    rest = {key: value for key, value in given.items() if key != "preset"}
    if not isinstance(power := rest.get("queue_power", 1.0), int | float) or isinstance(
        power, bool
    ):
        raise ConfigError(f"venue.queue_power: {power!r} is not a number")
    if "queue" in rest and not isinstance(rest["queue"], QueueModel):
        path, colon, attribute = str(rest["queue"]).partition(":")
        own = path.endswith(".py")
        file = f"{(folder or Path()) / path}{colon}{attribute}"
        rest["queue"] = find_queue(file if own else path)
    return replace(named(given["preset"]) if "preset" in given else Venue(), **rest)


def _queue_entry(queue: str | QueueModel) -> Any:
    """A queue model as the manifest keeps it: its name, or all that a user's is made of."""
    if isinstance(queue, str):
        return queue
    refuse_edited(queue.body)
    return {
        "name": queue.name,
        "source": queue.source,
        "closure": queue.closure,
        "file": file_of(queue),
    }


def _mapping(fees: Any) -> Mapping[str, Any]:
    if fees is None or isinstance(fees, Mapping):
        return fees or {}
    raise ConfigError(f"venue.fees: {fees!r} is not a mapping; write {{'maker_bps': 0, ...}}")


def _fee(key: str, value: Any) -> Decimal:
    """One fee as a number. Raises: ConfigError naming it."""
    if key not in FEES:
        raise ConfigError(f"venue.fees: {key!r} is not one of {', '.join(FEES)}")
    unit, most = ("basis points", FEE_BPS_MAX) if key.endswith("_bps") else ("currency", FEE_MAX)
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        amount = Decimal("nan")
    if isinstance(value, bool) or not amount.is_finite() or abs(amount) > most:
        raise ConfigError(
            f"venue.fees.{key}: {value!r} is not a number of {unit} from -{most} to {most}"
        )
    return amount


def _digits(amount: Decimal) -> str:
    """One text a number: a fee of 2, 2.0 or 2e0 gives one key, and so do 0 and -0.0."""
    return format(amount.normalize() + 0, "f")


def _legs(latency: Any) -> dict[str, Latency]:
    if latency is None:
        return {}
    if isinstance(latency, Mapping):
        unknown = sorted(set(latency) - set(LEGS))
        if unknown:
            raise ConfigError(f"venue.latency: {unknown[0]!r} is not one of {', '.join(LEGS)}")
        return {leg: _leg(leg, value) for leg, value in latency.items()}
    return {leg: _leg(leg, latency) for leg in LEGS}


def _duration_ns(value: Any, what: str) -> int:
    refuse_bare(value, what)
    return bounded_ns(value, what)


def _leg(leg: str, value: Any) -> Latency:
    what = f"venue.latency.{leg}"
    if isinstance(value, Latency):
        return value
    if isinstance(value, str | int | float):
        return Latency(base_ns=_duration_ns(value, what))
    if isinstance(value, Sequence) and len(value) == 3 and value[0] == "uniform":
        return Latency("uniform", _duration_ns(value[1], what), _duration_ns(value[2], what))
    if isinstance(value, Sequence) and value and all(isinstance(v, int) for v in value):
        return Latency("sampled", table=tuple(bounded_ns(v, what) for v in value))
    raise ConfigError(f"{what}: {value!r} is no duration, ('uniform', base, spread) or samples")

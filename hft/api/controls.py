"""Control inputs, promotions and fault plan of a replay, from files; promotions become weights.

A promotion file speaks from its date until a newer one does, or until its review date is over; a
strategy that is bound to an alpha has weight 0 before, after, and where a file cannot be read.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from hft.core.errors import ConfigError
from hft.gateway.limits import Limits
from hft.runs.controls import PPM, Control, parse
from hft.runs.faults import FaultPlan
from hft.settings.folder import read_mapping
from hft.storage.strict_yaml import load_yaml

ALPHA_KEY = "strategies.{}.alpha_id"
NEEDED = "HFT_GATEWAY_REQUIRE_PROMOTION"

Read = Callable[[Any], Limits]


def given_controls(
    given: Any,
    promotions: str | Path | None,
    alphas: Mapping[str, str] | None,
    strategies: list[str],
    limits: Limits,
    read: Read,
    *,
    dated: bool = True,
) -> tuple[tuple[Control, ...], Limits]:
    """The inputs of `given` (a list, or the path of a YAML file) and of a folder of promotions.

    `read` finds a limit set by name or path. Where not `dated` the folder binds strategies alone,
    and what its files say is heard while they are watched. Returns: the inputs, and the limits
    with strategies bound to alphas. Raises: ConfigError naming file, entry, field and cure.
    """
    if alphas and promotions is None:
        raise ConfigError("alphas: binds strategies to promotions; give promotions=, too")
    bound = {} if promotions is None else _bound(alphas, strategies, limits, Path(promotions))
    keys: dict[str, Any] = {ALPHA_KEY.format(name): alpha for name, alpha in bound.items()}
    keys |= {NEEDED: True} if bound else {}

    def in_force(name: Any) -> Limits:
        found = Limits.from_dict(name) if isinstance(name, Mapping) else read(name)
        return found.replace(**keys) if keys else found

    inputs = list(parse(*_entries(given, in_force))) if given is not None else []
    for name, alpha in bound.items() if dated else ():
        assert promotions is not None
        inputs += _weights(name, alpha, Path(promotions))
    return tuple(inputs), limits.replace(**keys) if keys else limits


def _entries(given: Any, in_force: Read) -> tuple[Any, str]:
    """The entries as written, limit sets read; and where they stand."""
    where, near = "controls", Path()
    if isinstance(given, str | Path):
        where, near = str(given), Path(given).parent
        try:
            given = load_yaml(Path(given).read_text(encoding="utf-8"), where)
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
            raise ConfigError(f"{where}: cannot be read ({reason}); check the path") from None
    if not isinstance(given, list | tuple):
        raise ConfigError(f"{where}: write a list of inputs, each with at: and kind:")
    found = []
    for k, entry in enumerate(given, start=1):
        if isinstance(entry, Mapping) and entry.get("limits") is not None:
            named = entry["limits"]
            beside = near / named if isinstance(named, str) else near
            chosen = beside if isinstance(named, str) and beside.is_file() else named
            try:
                entry = {**entry, "limits": in_force(chosen).to_dict()}
            except ConfigError as error:
                raise ConfigError(f"{where}: entry {k} (limits): {error}") from None
        found.append(entry)
    return found, where


def _bound(
    alphas: Mapping[str, str] | None, strategies: list[str], limits: Limits, folder: Path
) -> dict[str, str]:
    """Strategy -> alpha: as given, as the limits say, else the alpha of the strategy's own name."""
    from hft.governance.promotion.promotions import read

    if not folder.is_dir():
        raise ConfigError(f"promotions: {folder} is not a folder; check the path")
    known = {file.alpha_id for file in read(folder).files}
    found = {}
    for name, alpha in (alphas or {}).items():
        if name not in strategies:
            raise ConfigError(f"alphas: {name!r} is no strategy; there are {', '.join(strategies)}")
        found[name] = alpha
    for name in strategies:
        alpha = limits.values.get(ALPHA_KEY.format(name)) or (name if name in known else "")
        if alpha and name not in found:
            found[name] = str(alpha)
    for name, alpha in found.items():
        if alpha not in known:
            there = ", ".join(sorted(known)) or "none"
            raise ConfigError(
                f"promotions: {folder} has no file of {alpha!r}, which strategy {name!r} is bound "
                f"to; there are {there}"
            )
    if not found:
        raise ConfigError(
            f"promotions: {folder} has no alpha of the name of a strategy "
            f"({', '.join(strategies)}); bind one with strategy=alpha_id"
        )
    return found


def _weights(strategy: str, alpha: str, folder: Path) -> Iterator[Control]:
    """What an alpha's files say about the weight, in order of time; it begins with 0."""
    from hft.governance.promotion.promotions import read

    yield Control(0, "promotion", 0, strategy=strategy)
    files = [file for file in read(folder).files if file.alpha_id == alpha and file.date]
    days = [datetime.strptime(file.date, "%Y%m%d").date() for file in files]
    for file, day, after in zip(files, days, [*days[1:], date.max], strict=True):
        one = file.promotion
        live = one is not None and one.enabled
        weight = round(one.weight * PPM) if one is not None and live else 0
        yield Control(_ns(day), "promotion", weight, strategy=strategy)
        if one is None or not live:
            continue
        if one.expiry < after - timedelta(days=1):
            over = one.expiry + timedelta(days=1)
            yield Control(_ns(max(over, day)), "promotion", 0, strategy=strategy)


def _ns(day: date) -> int:
    """The beginning of a UTC day."""
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1_000_000_000


def given_faults(given: Any) -> FaultPlan:
    """A fault plan from a mapping or a file. Raises: ConfigError."""
    if given is None or isinstance(given, Mapping):
        return FaultPlan.from_dict(given)
    if not isinstance(given, str | Path):
        raise ConfigError(f"faults: {given!r} is neither a mapping nor the path of a fault plan")
    data = read_mapping(Path(given))
    if not data:
        raise ConfigError(f"{given}: is empty; write a fault plan, or leave --faults out")
    try:
        return FaultPlan.from_dict(data)
    except ConfigError as error:
        raise ConfigError(f"{given}: {error}") from None

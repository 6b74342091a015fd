"""The instrument table of `config/instruments.yaml`: symbol or `venue:symbol` to `Instrument`.

An instrument that is in neither the tape nor this table is refused; there is no fallback scale.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hft.core.errors import ConfigError
from hft.core.instruments import Instrument, venue_and_symbol
from hft.settings.folder import config_file, place_of, read_mapping
from hft.tape.sessions import check_calendar

TEXT = ("currency", "kind", "session", "calendar", "time_zone")
RATES = {"heartbeat_s": False, "rate_per_s": True, "rate_per_min": True}  # must it be whole?
RATE_MAX, FEE_DIGITS = 1_000_000_000, 4


def read_instruments(path: str | Path | None = None) -> dict[str, Instrument]:
    """Every instrument of the file at `path`, by its key; without a path, of the workspace.

    Raises: ConfigError naming file, instrument and field.
    """
    file = _locate(path)
    place = place_of(file)
    table: dict[str, Instrument] = {}
    for name, fields in read_mapping(file).items():
        venue, symbol = venue_and_symbol(name)
        try:
            _check(name, fields)
            if "calendar" in fields:
                check_calendar(fields["calendar"])
            table[name] = Instrument.from_dict({"symbol": symbol, "venue": venue} | fields)
        except (ConfigError, TypeError) as error:
            raise ConfigError(f"{place(name)}: {error}") from None
    return table


def _check(name: str, fields: Any) -> None:
    """What `Instrument` takes as it is: text is text, rates are numbers. Raises: ConfigError."""
    if not isinstance(fields, dict):
        raise ConfigError(f"{name}: write a mapping with tick and lot")
    for required in ("tick", "lot"):
        if required not in fields:
            raise ConfigError(f"{name}: {required} is missing; write it as a decimal")
    for field in TEXT:
        text = fields.get(field, field)
        if not isinstance(text, str) or not text.strip():
            raise ConfigError(f"{name}.{field}: {text!r} is not text")
    for field, whole in RATES.items():
        rate = fields.get(field, 1)
        numeric = isinstance(rate, int) or (isinstance(rate, float) and not whole)
        if isinstance(rate, bool) or not numeric or not 0 < rate <= RATE_MAX:
            kind = "whole number" if whole else "number"
            raise ConfigError(f"{name}.{field}: {rate!r} is not a {kind} from 1 to {RATE_MAX}")
    for field in ("maker_bps", "taker_bps"):
        fee = str(fields.get(field, 0)).lstrip("-")
        if len(fee.partition(".")[0]) > FEE_DIGITS or "e" in fee.lower():
            raise ConfigError(f"{name}.{field}: {fields[field]!r} is not a fee in basis points")


def find_instrument(
    table: Mapping[str, Instrument], symbol: str, venue: str = ""
) -> Instrument | None:
    """The instrument of `symbol`, preferring `venue:symbol`; None when the table has none.

    Raises: ConfigError when several venues list the symbol and none is named.
    """
    for name in (f"{venue}:{symbol}" if venue else symbol, symbol):
        if name in table:
            return table[name]
    if venue:
        return None
    matches = sorted(name for name in table if venue_and_symbol(name)[1] == symbol)
    if len(matches) > 1:
        raise ConfigError(f"instrument {symbol}: is ambiguous; write one of {', '.join(matches)}")
    return table[matches[0]] if matches else None


def _locate(path: str | Path | None) -> Path:
    if path is not None and Path(path).is_file():
        return Path(path)
    default = path is None or Path(path).as_posix() == "config/instruments.yaml"
    found = config_file("instruments.yaml") if default else None
    if found is None:
        raise ConfigError(f"{path or 'config/instruments.yaml'}: there is no such file; name one")
    return found

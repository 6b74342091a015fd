"""The instrument table of `config/instruments.yaml`: symbol or `venue:symbol` to `Instrument`.

An instrument that is in neither the tape nor this table is refused; there is no fallback scale.
"""

from collections.abc import Mapping
from pathlib import Path

from hft.core.errors import ConfigError
from hft.core.instruments import Instrument
from hft.settings.folder import config_file, read_mapping


def read_instruments(path: str | Path | None = None) -> dict[str, Instrument]:
    """Every instrument of the file at `path`, by its key; without a path, of the workspace.

    Raises: ConfigError naming file, instrument and field.
    """
    file = _locate(path)
    table: dict[str, Instrument] = {}
    for name, fields in read_mapping(file).items():
        if not isinstance(fields, dict):
            raise ConfigError(f"{file}: {name}: write a mapping with tick and lot")
        for required in ("tick", "lot"):
            if required not in fields:
                raise ConfigError(f"{file}: {name}: {required} is missing; write it as a decimal")
        venue, _, symbol = name.rpartition(":")
        try:
            table[name] = Instrument.from_dict({"symbol": symbol, "venue": venue} | fields)
        except (ConfigError, TypeError) as error:
            raise ConfigError(f"{file}: {error}") from None
    return table


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
    matches = sorted(name for name in table if name.rpartition(":")[2] == symbol)
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

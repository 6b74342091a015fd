"""The hours that frames of tapes keep: times of day in a zone, or open hours of the exchange.

`RTH` is the regular hours of each instrument's own calendar (of Globex those of New York, which its
contracts follow); a calendar's name is the hours of that market, whatever the instrument.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import polars as pl

from hft.core.errors import ConfigError
from hft.core.instruments import Instrument
from hft.tape.sessions import REGULAR, Sessions, names, regular_of, sessions_of


@dataclass(frozen=True)
class Window:
    """`name`, when set, is RTH or a calendar's; else times of day "HH:MM" in `zone`."""

    name: str = ""
    start: str = ""
    end: str = ""
    zone: str = "UTC"

    def keeps(self, instruments: Mapping[str, Instrument]) -> pl.Expr:
        """Which rows of a frame of `ts` and `symbol` are inside.

        Raises: ConfigError for a symbol whose regular hours are not known.
        """
        if self.name:
            return pl.any_horizontal(
                (pl.col("symbol") == symbol) & _inside(self._hours(symbol, one.calendar))
                for symbol, one in instruments.items()
            )
        clock = pl.col("ts").dt.convert_time_zone(self.zone).dt.time()
        low, high = (datetime.strptime(text, "%H:%M").time() for text in (self.start, self.end))
        return (clock >= low) & (clock < high)

    def _hours(self, symbol: str, calendar: str | None) -> Sessions:
        found = regular_of(calendar) if self.name == REGULAR else sessions_of(self.name)
        if found is None:
            raise ConfigError(
                f"session: {symbol} has no calendar that the table of sessions knows "
                f"({calendar}); write HH:MM-HH:MM with tz=, or name its calendar"
            )
        return found


def window(text: str, tz: str = "UTC") -> Window:
    """Hours as people write them: "09:30-16:00" in `tz`, "RTH" or a calendar's name.

    Raises: ConfigError for anything else.
    """
    if text == REGULAR or sessions_of(text) is not None:
        return Window(name=text)
    try:
        start, end = (part.strip() for part in text.split("-"))
        if datetime.strptime(start, "%H:%M") >= datetime.strptime(end, "%H:%M"):
            raise ValueError
        ZoneInfo(tz)
    except ZoneInfoNotFoundError:
        raise ConfigError(f"tz: {tz!r} is no time zone") from None
    except ValueError:
        raise ConfigError(
            f"session: {text!r} is not HH:MM-HH:MM with start before end, {REGULAR} or one of "
            f"{', '.join(names())}"
        ) from None
    return Window("", start, end, tz)


def _inside(hours: Sessions) -> pl.Expr:
    """Whether `ts` is within open hours."""
    return pl.col("ts").map_batches(
        lambda ts: pl.Series(hours.inside(ts.dt.epoch("ns").to_numpy())), return_dtype=pl.Boolean
    )

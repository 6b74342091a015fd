"""What --symbol says of sources that name their instruments in a column: it renames one.

Several files of one instrument may write it in several ways (BTCUSDT, BTC/USDT:USDT); a file or a
list of files of several instruments is refused, since they would become one.
"""

from hft.core.errors import DataError
from hft.core.instruments import venue_and_symbol

SHOWN = 4


class OneName:
    """The name the user gave, and those that the sources had so far."""

    def __init__(self, given: str | None) -> None:
        self.given = given
        self.first: tuple[str, str] | None = None  # where a name was, and the name

    def rename(self, there: list[str], where: str) -> str | None:
        """The user's name for the one there is; None where none was given. Mutates: self.

        Raises: DataError where there are several instruments.
        """
        if not self.given:
            return None
        if len(there) > 1:
            more = ", ..." if len(there) > SHOWN else ""
            shown = ", ".join(there[:SHOWN]) + more
            raise DataError(
                f"{where}: --symbol {self.given} (symbol=) names one instrument, here are "
                f"{len(there)} ({shown}); leave it out, or ingest the rows of one symbol"
            )
        name = there[0]
        if self.first is not None and plain(name) != plain(self.first[1]):
            raise DataError(
                f"{where}: --symbol {self.given} (symbol=) names one instrument, here is {name}, "
                f"in {self.first[0]} {self.first[1]}; ingest one after the other"
            )
        self.first = self.first or (where, name)
        return self.given


def plain(name: str) -> str:
    """A symbol without what venues write it with: BTC/USDT:USDT and BTC-USDT are BTCUSDT."""
    pair = venue_and_symbol(name)[1].partition(":")[0]
    return "".join(filter(str.isalnum, pair)).upper()

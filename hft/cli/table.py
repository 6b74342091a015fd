"""Tables of commands: what of a table is asked for, and what of it a terminal has room for.

A command takes the options below with `@tabled` and hands its frame to `view.emit`. Into a pipe or
a file go all rows and all columns; a terminal gets the columns that fit, chosen by their rank in
`hft.cli.columns`, and is told what was left out. --json has every row with full precision.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from textwrap import fill
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hft.cli import context
from hft.cli.options import giving

if TYPE_CHECKING:
    import polars as pl

ROWS = 20  # of a long table on a terminal
GAP, NARROWEST = 2, 16  # between two columns; a text is never cut shorter
TABLE: dict[str, tuple[Any, Any]] = {
    "columns": (
        Annotated[
            str | None,
            typer.Option(metavar="NAMES", help="These columns, in this order: ts,price,lots."),
        ],
        None,
    ),
    "where": (
        Annotated[
            str | None,
            typer.Option(metavar="EXPR", help="Rows such as \"symbol == 'ES' and lots > 2\"."),
        ],
        None,
    ),
    "sort": (
        Annotated[
            str | None,
            typer.Option(metavar="NAME", help="By this column; -NAME has the largest first."),
        ],
        None,
    ),
    "head": (
        Annotated[
            int | None,
            typer.Option(
                "--head", "--rows", metavar="N", min=0, help="The first rows only, 0 for all."
            ),
        ],
        None,
    ),
    "tail": (
        Annotated[int | None, typer.Option(metavar="N", min=1, help="The last rows only.")],
        None,
    ),
    "wide": (
        Annotated[bool, typer.Option("--wide", help="All columns, uncut, whatever the width.")],
        False,
    ),
    "ns": (Annotated[bool, typer.Option("--ns", help="Times to the nanosecond.")], False),
}


@dataclass(frozen=True)
class View:
    """What of a table was asked for."""

    columns: str | None = None
    where: str | None = None
    sort: str | None = None
    head: int | None = None
    tail: int | None = None
    wide: bool = False
    ns: bool = False

    def emit(
        self,
        frame: "pl.DataFrame",
        rank: Sequence[str] = (),
        *,
        data: Any = None,
        empty: str = "no rows",
        after: str = "",
        rows: int | None = ROWS,
    ) -> None:
        """Print a table, or its rows under --json; `data` is then a document of its own.

        `rows` are those that a terminal gets unless others are asked for; None: all.
        """
        from hft.reports.render import frame_json

        if context.current.json and data is not None:
            self.refuse("--json prints all there is here")
            context.emit(data, "")
            return
        chosen = self.chosen(frame)
        nothing = f"none of {frame.height:,} rows" if frame.height else empty
        context.emit(
            frame_json(chosen),
            lambda: (self.text(chosen, rank, rows) if chosen.height else nothing) + after,
        )

    def refuse(self, why: str) -> None:
        """Raises: typer.BadParameter where an option would have no effect."""
        for name in ("columns", "where", "sort", "head", "tail"):
            if getattr(self, name) is not None:
                raise typer.BadParameter(f"--{name}: {why}")

    def chosen(self, frame: "pl.DataFrame") -> "pl.DataFrame":
        """The rows and columns asked for. Raises: typer.BadParameter."""
        from hft.cli.where import rows_where, unknown

        if self.head is not None and self.tail is not None:
            raise typer.BadParameter("--head and --tail: give one of them")
        found = frame if self.where is None else rows_where(frame, self.where)
        if self.sort is not None:
            name = self.sort.removeprefix("-")
            if name not in frame.columns:
                raise typer.BadParameter(f"--sort: {unknown(name, frame.columns)}")
            down = self.sort != name
            found = found.sort(name, descending=down, nulls_last=True, maintain_order=True)
        if self.tail is not None:
            found = found.tail(self.tail)
        elif self.head:
            found = found.head(self.head)
        if self.columns is None:
            return found
        names = list(dict.fromkeys(name.strip() for name in self.columns.split(",")))
        for name in names:
            if name not in frame.columns:
                raise typer.BadParameter(f"--columns: {unknown(name, frame.columns)}")
        return found.select(names)

    def text(self, chosen: "pl.DataFrame", rank: Sequence[str], rows: int | None = None) -> str:
        """The table for where it goes; its last lines say what a terminal had no room for."""
        from hft.reports.render import as_text, lines

        room, said, shown = width(), [], chosen
        unasked = self.head is None and self.tail is None
        if room is not None and rows and unasked and chosen.height > rows:
            shown = chosen.head(rows)
            said.append(f"{rows} of {chosen.height:,} rows: --head 0 shows all, --tail N the last")
        columns = as_text(shown, ns=self.ns)
        if room is not None and not self.wide and self.columns is None:
            columns, left_out = fit(columns, [name for name in rank if name in columns], room)
            if left_out:
                said.append(f"left out: {', '.join(left_out)}; see --wide and --columns")
        folded = (fill(sentence, max(room or 0, NARROWEST)) for sentence in said)
        return "\n".join([lines(columns), *folded])


def fitted(frame: "pl.DataFrame", rank: Sequence[str], table: View | None = None) -> str:
    """A table below another one: only its width is of the options."""
    wide = table is not None and table.wide
    return View(wide=wide, head=0).text(frame, rank)


def width() -> int | None:
    """Characters in a line of the terminal; None where output goes elsewhere."""
    return context.width()


def fit(columns: Any, rank: Sequence[str], room: int) -> tuple[Any, list[str]]:
    """The columns that fit into `room`, best rank first, and the names of the others.

    A text that does not fit is cut, and ends in an ellipsis, where enough of it can be seen.
    """
    from hft.reports.render import cut

    order = [*rank, *(name for name in columns if name not in rank)]
    kept: dict[str, Any] = {}
    left = room + GAP
    for name in order:
        column = columns[name]
        if column.width + GAP <= left or not kept:
            kept[name] = column
        elif not column.right and left - GAP >= max(NARROWEST, len(name)) and column.words:
            kept[name] = cut(column, left - GAP)
        else:
            continue
        left -= kept[name].width + GAP
    shown = {name: kept[name] for name in columns if name in kept}
    return shown, [name for name in columns if name not in kept]


def tabled(command: Callable[..., None]) -> Callable[..., None]:
    """Give `command` the options of a table; it receives them as `view`."""
    return giving(TABLE, lambda options: {"view": View(**options)}, ("view",))(command)

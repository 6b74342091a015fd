"""An alpha's signal over research data: one number a row, in the order of the rows.

Each name of a panel is a market of its own: the alpha is reset before it. It gets the fields its
manifest names, under these names, and nothing else. An alpha that raises, or answers with anything
but a number, is a ValidationError that names the row; hft never repairs a signal.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from keyword import kwlist
from random import SystemRandom
from typing import Any

import numpy as np
import polars as pl

from hft.core.errors import ValidationError
from hft.research.alphas.containment import own_code
from hft.research.alphas.loaded import LoadedAlpha
from hft.research.alphas.remote import RemoteAlpha
from hft.research.data.dataset import ResearchData

ROW = "the row's number"
STREAM_APART = 1e-9
BLOCK_MOST = 64  # rows of a block of the counted signal; where it ends is drawn, and told to nobody
FIRST_LEAST = 64  # rows of the first part: whether one of a row or two makes an alpha raise is luck
PLAIN_NAME = re.compile(rf"(?!(?:{'|'.join(kwlist)})$)[A-Za-z]\w*", re.ASCII)


def evaluate(alpha: Any, data: ResearchData, *, batch: bool | None = None) -> np.ndarray:
    """The signal at each row, float64; NaN where the alpha has none.

    `alpha` is an instance, a class, a `LoadedAlpha` or a `RemoteAlpha`. `batch` chooses
    `signals(frame)` or row by row; `signals` where there is one. Raises: ValidationError.
    """
    if isinstance(alpha, RemoteAlpha):
        return alpha.evaluate(data, batch=batch)
    made = instance(alpha)
    chosen = has_batch(made) if batch is None else batch
    if chosen and not has_batch(made):
        raise ValidationError(f"alpha {name_of(made)!r}: has no `signals(frame)`")
    run = _batch if chosen else _stream
    if not data.panel:
        return run(made, data)
    found = np.full(len(data), np.nan)
    for symbol, rows in data.groups():
        found[rows] = run(made, data.of(symbol))
    return found


def instance(alpha: Any) -> Any:
    """A fresh alpha of a class or a loaded alpha; an instance is taken as it is.

    Raises: ValidationError when it cannot be made.
    """
    if isinstance(alpha, RemoteAlpha):
        return alpha
    cls = alpha.cls if isinstance(alpha, LoadedAlpha) else alpha
    if not isinstance(cls, type):
        return alpha
    words = f"alpha {cls.__name__}: cannot be made"
    with own_code(lambda error: ValidationError(f"{words}: {said(error)}")):
        return cls()


def has_batch(alpha: Any) -> bool:
    """Does it have the entry for whole frames?"""
    if isinstance(alpha, RemoteAlpha):
        return alpha.batch
    return callable(getattr(alpha, "signals", None))


def has_stream(alpha: Any) -> bool:
    """Does it have the entry row by row?"""
    if isinstance(alpha, RemoteAlpha):
        return alpha.stream
    return callable(getattr(alpha, "update", None))


def name_of(alpha: Any) -> str:
    """The alpha's id, for messages."""
    manifest = getattr(alpha, "manifest", None)
    return str(getattr(manifest, "alpha_id", type(alpha).__name__))


def said(error: BaseException) -> str:
    """An alpha's own exception as words."""
    first = (str(error).splitlines() or [""])[0]
    return f"{type(error).__name__}: {first}" if first else type(error).__name__


class Stream:
    """One alpha of one name that is shown rows as they come, and remembers what it has seen."""

    def __init__(self, alpha: Any) -> None:
        self.made = instance(alpha)
        self._rows = 0
        self._seen: pl.DataFrame | None = None  # of a batch alpha

    def extend(self, data: ResearchData) -> np.ndarray:
        """The signal at the rows of `data`, which follow all rows before.

        With `update` it is what the code has kept; a batch alpha is shown all rows so far.
        """
        before, self._rows = self._rows, self._rows + len(data)
        if has_stream(self.made):
            return _stream(self.made, data, before)
        frames = [data.frame] if self._seen is None else [self._seen, data.frame]
        self._seen = pl.concat(frames, rechunk=True)
        return _batch(self.made, data.with_frame(self._seen))[before:]


def _reset(alpha: Any) -> None:
    if callable(getattr(alpha, "reset", None)):
        alpha.reset()


def _stream(alpha: Any, data: ResearchData, before: int = 0) -> np.ndarray:
    """The signal row by row; `before` is how many rows the alpha has been shown already."""
    if not has_stream(alpha):
        return _growing(alpha, data)
    fields = tuple(alpha.manifest.data_fields)
    columns = [data.field(name).tolist() for name in fields]
    found = np.full(len(data), np.nan)
    row = 0
    with own_code(lambda error: _raised(alpha, data, row, before, error)):
        if not before:
            _reset(alpha)
        update: Callable[..., Any] = alpha.update
        call = _by_name(fields)
        for row, values in enumerate(zip(*columns, strict=True)):
            found[row] = call(update, values)
    return found


@cache
def _by_name(fields: tuple[str, ...]) -> Callable[[Callable[..., Any], tuple[Any, ...]], Any]:
    """Calls a function with a row's values under the names of the fields.

    The call is compiled, since a dict a row takes three times as long; a leak test has half a
    million rows. Names that Python would not take as they are, or takes once only, get the dict.
    """
    if len(set(fields)) < len(fields) or not all(PLAIN_NAME.fullmatch(name) for name in fields):
        return lambda update, row: update(**dict(zip(fields, row, strict=True)))
    given = ", ".join(f"{name}=row[{k}]" for k, name in enumerate(fields))
    compiled: Callable[..., Any] = eval(f"lambda update, row: update({given})")
    return compiled


def _growing(alpha: Any, data: ResearchData) -> np.ndarray:
    """A batch alpha row by row: it is shown the frame as it grows, and its last number counts."""
    found = np.full(len(data), np.nan)
    for row in range(len(data)):
        found[row] = _batch(alpha, data.head(row + 1))[-1]
    return found


def _batch(alpha: Any, data: ResearchData) -> np.ndarray:
    frame = data.tick_frame(alpha.manifest.data_fields)
    words = f"alpha {name_of(alpha)!r}: signals(frame) of {len(data)} rows raised"
    with own_code(lambda error: ValidationError(f"{words} {said(error)}")):
        _reset(alpha)
        answer = alpha.signals(frame)
    return _vector(answer, alpha, len(data))


def _vector(answer: Any, alpha: Any, rows: int) -> np.ndarray:
    """Whatever columns people return, as float64 of the right length."""
    if isinstance(answer, pl.DataFrame) and answer.width == 1:
        answer = answer.to_series()
    if isinstance(answer, pl.Series):
        answer = answer.cast(pl.Float64, strict=False).to_numpy()
    try:
        found = np.asarray(answer, np.float64).reshape(-1)
    except (TypeError, ValueError):
        kind = type(answer).__name__
        raise ValidationError(
            f"alpha {name_of(alpha)!r}: signals(frame) returned {kind}, not one number a row"
        ) from None
    if len(found) != rows:
        raise ValidationError(
            f"alpha {name_of(alpha)!r}: signals(frame) returned {len(found)} numbers for {rows} "
            "rows; return one a row, in the order of the frame"
        )
    return found


def _raised(
    alpha: Any, data: ResearchData, row: int, before: int, error: BaseException
) -> ValidationError:
    at = data.frame["ts"][row].isoformat() if row < len(data) else "the start"
    return ValidationError(
        f"alpha {name_of(alpha)!r}: update() raised {said(error)} at row {before + row + 1} ({at})"
    )


def counted(alpha: RemoteAlpha, data: ResearchData) -> np.ndarray:
    """The signal that counts: of a process of its own that is shown rows block by block.

    The answers of a block leave before the next one enters. Where a block ends is drawn anew each
    time: inside a session `update` is shown 1 to 64 rows at once, and `signals` alone, which is
    handed all rows so far each time, two parts a session, the very first of at least 64 rows.
    Make it before any other process of this alpha has seen the rows: what two of them could tell
    each other then is nothing new.
    """
    found, drawn = np.full(len(data), np.nan), SystemRandom()
    sessions = data.frame.with_row_index(ROW).partition_by("session", maintain_order=True)
    with alpha.again() as fresh:
        begin = True
        for rows in sessions:
            for part in _parts(rows, drawn, fresh.stream, first_least(data) if begin else 1):
                at = part[ROW].to_numpy()
                found[at] = fresh.extend(data.with_frame(part.drop(ROW)), begin=begin)
                begin = False
    return found


def first_least(data: ResearchData) -> int:
    """The rows that `signals` is shown at the very least: 64, or those of the first session."""
    return min(FIRST_LEAST, int((data.session == data.session[0]).sum()))


def _parts(
    rows: pl.DataFrame, drawn: SystemRandom, streamed: bool, least: int
) -> Iterator[pl.DataFrame]:
    if not streamed:
        cut = drawn.randint(least, rows.height)
        yield from (part for part in (rows.head(cut), rows.slice(cut)) if part.height)
        return
    at = 0
    while at < rows.height:
        more = drawn.randint(1, BLOCK_MOST)
        yield rows.slice(at, more)
        at += more


@dataclass(frozen=True)
class Difference:
    """How far two signals are apart: the largest absolute difference, and the first row with it.

    NaN equals NaN; NaN and a number are infinitely apart. `row` is None where they are equal.
    """

    largest: float
    row: int | None


def difference(first: np.ndarray, second: np.ndarray) -> Difference:
    """Two signals of the same rows compared."""
    with np.errstate(invalid="ignore"):  # of equal infinities
        apart = np.where(first == second, 0.0, np.abs(first - second))
    nan = np.isnan(first), np.isnan(second)
    apart = np.where(nan[0] & nan[1], 0.0, np.where(nan[0] | nan[1], np.inf, apart))
    if not len(apart) or not apart.any():
        return Difference(0.0, None)
    row = int(np.argmax(apart))
    return Difference(float(apart[row]), row)

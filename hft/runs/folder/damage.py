"""A damaged file of a run folder as one sentence that names it, wherever it is first read."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property, wraps
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa

from hft.core.errors import HftError, JournalError

UNREADABLE = (pl.exceptions.PolarsError, pa.ArrowException)
NOT_THAT_SHAPE = (KeyError, TypeError, AttributeError, ValueError)
_OF_JSON = ("manifest", "names", "metrics", "totals")


@contextmanager
def damaged(path: Path) -> Iterator[None]:
    """Raises: JournalError naming `path` for a document that has not what it must have."""
    try:
        yield
    except HftError:
        raise
    except NOT_THAT_SHAPE as error:
        raise JournalError(
            f"{path}: is damaged ({type(error).__name__}: {error}); replay it anew"
        ) from None


def damage_is_a_sentence(cls: Any) -> Any:
    """A class whose cached properties read files: what they cannot read is a JournalError."""
    for name, one in vars(cls).items():
        if isinstance(one, cached_property):
            one.func = _guarded(one.func, NOT_THAT_SHAPE if name in _OF_JSON else UNREADABLE)
    return cls


def _guarded(read: Callable[[Any], Any], wrong: tuple[type[Exception], ...]) -> Callable[..., Any]:
    @wraps(read)
    def guarded(run: Any) -> Any:
        try:
            return read(run)
        except HftError:
            raise
        except wrong as error:
            first = (str(error).splitlines() or [""])[0]
            raise JournalError(
                f"{run.path}: {read.__name__} cannot be read, its file is damaged "
                f"({type(error).__name__}: {first}); replay it anew"
            ) from None

    return guarded

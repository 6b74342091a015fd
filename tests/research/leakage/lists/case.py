"""A case of the lists: rows and an alpha, as an author would bring them to `hft alpha validate`.

A leak in data is a function that makes the rows; the alpha beside it only follows the column
`score`. A leak in code is a class, whose source becomes the alpha's `impl.py`. Innocent cases are
either. Nothing here knows how Gate A finds a leak.
"""

import inspect
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import polars as pl

Rows = Callable[[], Any]  # a polars frame, or paths

HEAD = """import math
from collections import deque

import numpy as np
import polars as pl

from hft.research.alphas.manifest import AlphaManifest
{top}
MANIFEST = AlphaManifest(
    alpha_id={id!r},
    hypothesis="a case of the lists",
    formula="as in the code",
    data_fields={fields!r},
    complexity={complexity!r},
    horizon_ns={horizon_ns},
    owner="root",
    family={id!r},
    known_at={known_at!r},
    files={files!r},
)


class Streamed:
    def __init__(self):
        self.reset()

    @property
    def manifest(self):
        return MANIFEST

    def reset(self):
        self.signal = math.nan
        self.start()

    def start(self):
        pass

    def update(self, **tick):
        self.signal = float(self.step(**tick))
        return self.signal

    def get_signal(self):
        return self.signal


class Framed:
    @property
    def manifest(self):
        return MANIFEST


"""
FOLLOW = """class Follow(Streamed):
    def step(self, {field}):
        return {field}
"""


@dataclass(frozen=True)
class Case:
    """One entry of a list."""

    group: str
    name: str
    about: str
    rows: Rows
    code: str
    fields: tuple[str, ...]
    horizon_s: float
    known_at: tuple[str, ...] = ()
    # path -> (its bytes, what it was fitted on, until when)
    files: Mapping[str, tuple[Callable[[], bytes], str, str]] = field(default_factory=dict)
    top: str = ""
    recorded: bool = False
    whole: bool = False  # the code is a whole impl.py

    def write(self, folder: Path) -> None:
        """The alpha's folder, in place of what a scaffold has put there."""
        folder.mkdir(parents=True)
        entries = []
        for path, (content, fitted_on, until) in self.files.items():
            (folder / path).write_bytes(content())
            entries.append({"path": path, "fitted_on": fitted_on, "fitted_until": until})
        head = HEAD.format(
            top=self.top,
            id=self.name,
            fields=self.fields,
            complexity="O(N)",
            horizon_ns=int(self.horizon_s * 1e9),
            known_at=self.known_at,
            files=tuple(entries),
        )
        (folder / "__init__.py").write_text("")
        text = self.code if self.whole else head + self.code
        (folder / "impl.py").write_text(text)
        (folder / "README.md").write_text(f"# {self.name}\n\n## Hypothesis\n\n{self.about}\n")
        (folder / "CHANGELOG.md").write_text(f"# Changelog of {self.name}\n")


class Group:
    """The cases of one list, in the order they are written."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.cases: list[Case] = []

    def data(
        self,
        horizon_s: float,
        follow: str = "score",
        known_at: Sequence[str] | None = None,
        recorded: bool = False,
    ) -> Callable[[Rows], Rows]:
        """Rows with the column `follow`; by default said to be known at its row."""
        told = (f"{follow}: row",) if known_at is None else tuple(known_at)

        def added(made: Rows) -> Rows:
            def rows() -> Any:
                return made().with_columns(pl.col(follow).fill_nan(None).fill_null(0.0))

            code = FOLLOW.format(field=follow) + "\n\nALPHA_CLASS = Follow\n"
            self._add(made, rows, code, (follow,), horizon_s, told, {}, "", recorded)
            return made

        return added

    def code(
        self,
        rows: Rows,
        fields: Sequence[str],
        horizon_s: float = 300.0,
        known_at: Sequence[str] = (),
        files: Mapping[str, Any] | None = None,
        top: str = "",
        recorded: bool = False,
    ) -> Callable[[type], type]:
        """A class whose source is the alpha's code."""

        def added(cls: type) -> type:
            source = textwrap.dedent(inspect.getsource(cls))
            source = source[source.index("class ") :]
            code = f"{source}\n\nALPHA_CLASS = {cls.__name__}\n"
            told = dict(files or {})
            self._add(cls, rows, code, fields, horizon_s, tuple(known_at), told, top, recorded)
            return cls

        return added

    def example(
        self,
        name: str,
        about: str,
        rows: Rows,
        text: str,
        fields: Sequence[str],
        horizon_ns: int,
    ) -> None:
        """An alpha whose `impl.py` is there already, on recorded rows."""
        made = Case(self.name, name, about, rows, text, tuple(fields), horizon_ns / 1e9)
        self.cases.append(replace(made, whole=True, recorded=True))

    def _add(
        self,
        made: Any,
        rows: Rows,
        code: str,
        fields: Sequence[str],
        horizon_s: float,
        known_at: tuple[str, ...],
        files: Mapping[str, Any],
        top: str,
        recorded: bool,
    ) -> None:
        name = _snake(made.__name__)
        about = " ".join(str(made.__doc__).split())
        self.cases.append(
            Case(
                self.name, name, about, rows, code, tuple(fields), horizon_s, known_at, files, top,
                recorded,
            )
        )  # fmt: skip


def _snake(name: str) -> str:
    """NextMid -> next_mid."""
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")


class Streamed:
    """What the head of every impl.py calls so; here only so that the classes can be written."""


class Framed:
    """The same for whole frames."""

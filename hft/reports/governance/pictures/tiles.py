"""A field of coloured tiles: a table of values while it is small, one stretched drawing when not.

Blue is above zero, orange below, paler is nearer to zero: the pair that most colour-blind eyes keep
apart. Every value can be read: in its tile, or under the pointer.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

import numpy as np

from hft.reports.shapes import n

TABLE_MAX = 14  # columns up to which the values are written
NAMED_MAX = 48  # rows up to which names fit beside a drawing
HALF_FROM = 60  # a symmetric field this large is drawn below its diagonal only
LEVELS = 8
KEYS = (
    '<span class="key sell"><i></i>below zero</span><span class="key buy"><i></i>above zero</span>'
)
PAINT = 64  # percent of the colour in the strongest tile


@dataclass
class Tiles:
    """Rows by columns of values; `rules` outlines tiles at or beyond a value."""

    name: str
    rows: Sequence[str]
    columns: Sequence[str]
    values: np.ndarray
    form: Callable[[Any], str]
    top: float | None = None  # value of the strongest colour; the largest when not given
    threshold: float | None = None
    symmetric: bool = False
    ring: tuple[int, int] | None = None
    corner: str = ""
    under: str = ""
    data: dict[str, Any] = field(default_factory=dict)

    def __call__(self, number: int) -> str:
        """The figure with its number."""
        small = len(self.columns) <= TABLE_MAX
        body = self._table() if small else self._drawing(number)
        under = f'<p class="xn">{escape(self.under)}</p>' if self.under and not small else ""
        return (
            f'<figure class="panel tiles" id="f{number}"><figcaption><b>{escape(self.name)}</b>'
            f'<span class="read"></span><span class="keys">{KEYS}</span></figcaption>{body}{under}'
            "</figure>"
        )

    def _level(self) -> np.ndarray:
        """Colour strength from -LEVELS to LEVELS; what is undefined is 0."""
        values = np.nan_to_num(self.values, nan=0.0, posinf=0.0, neginf=0.0)
        top = self.top or float(np.abs(values).max(initial=0.0)) or 1.0
        return np.clip(np.round(values / top * LEVELS), -LEVELS, LEVELS).astype(int)

    def _beyond(self) -> np.ndarray:
        if self.threshold is None:
            return np.zeros(self.values.shape, dtype=bool)
        with np.errstate(invalid="ignore"):
            found = np.abs(self.values) >= self.threshold - 1e-12
        return found & (np.eye(*self.values.shape) == 0) if self.symmetric else found

    def _table(self) -> str:
        level, beyond = self._level(), self._beyond()
        corner = escape(" \\ ".join(t for t in (self.corner, self.under) if t))
        head = "".join(f'<th scope="col"><span>{escape(c)}</span></th>' for c in self.columns)
        body = []
        for r, name in enumerate(self.rows):
            cells = "".join(self._cell(r, c, level, beyond) for c in range(len(self.columns)))
            body.append(f'<tr><th scope="row"><span>{escape(name)}</span></th>{cells}</tr>')
        return (
            f'<div class="scroll"><table class="tiles"><thead><tr><th>{corner}</th>{head}</tr>'
            f"</thead><tbody>{''.join(body)}</tbody></table></div>"
        )

    def _cell(self, r: int, c: int, level: np.ndarray, beyond: np.ndarray) -> str:
        if self.symmetric and r == c:
            return '<td class="self">1</td>'
        strength = int(level[r, c])
        css = "pos" if strength > 0 else "neg" if strength < 0 else ""
        css += " beyond" if beyond[r, c] else ""
        css += " ring" if self.ring == (r, c) else ""
        paint = f' style="--a:{abs(strength) * PAINT // LEVELS}%"' if strength else ""
        return f'<td class="{css.strip()}"{paint}>{escape(self.form(self.values[r, c]))}</td>'

    def _drawing(self, number: int) -> str:
        level, beyond = self._level(), self._beyond()
        high, wide = level.shape
        half = self.symmetric and high > HALF_FROM
        if half:
            keep = np.tril(np.ones_like(level, dtype=bool))
            level, beyond = np.where(keep, level, 0), beyond & keep
        body = "".join(self._paths(level, k) for k in range(-LEVELS, LEVELS + 1) if k)
        outline = "".join(self._box(r, c, r, c + 1) for r, c in np.argwhere(beyond).tolist())
        body += f'<path class="outline" d="{outline}"/>' if outline and high <= HALF_FROM else ""
        if self.ring:
            r, c = self.ring
            body += f'<path class="outline ring" d="{self._box(r, c, r, c + 1)}"/>'
        names = "".join(
            f'<span class="yl" style="top:{n((k + 0.5) / high * 100)}%">{escape(name)}</span>'
            for k, name in enumerate(self.rows if high <= NAMED_MAX else ())
        )
        self.data = self._values(half)
        height = min(max(high * 16, 240), 640)
        css = "plot named" if names else "plot bare"
        about = f"{self.name}: {high} rows by {wide} columns"
        return (
            f'<div class="{css}" style="height:{height}px"><svg role="img" '
            f'aria-labelledby="f{number}-t" viewBox="0 0 1000 100" preserveAspectRatio="none">'
            f'<title id="f{number}-t">{escape(about)}</title>{body}</svg>{names}'
            '<i class="cross"></i></div>'
        )

    def _box(self, r: int, left: int, row: int, right: int) -> str:
        high, wide = self.values.shape
        x0, x1 = left / wide * 1000, right / wide * 1000
        return f"M{n(x0)} {n(r / high * 100)}H{n(x1)}V{n((r + 1) / high * 100)}H{n(x0)}Z"

    def _paths(self, level: np.ndarray, k: int) -> str:
        """All tiles of one strength, runs of a row joined."""
        out = []
        for r in np.flatnonzero((level == k).any(axis=1)).tolist():
            same = np.flatnonzero(level[r] == k)
            for run in np.split(same, np.flatnonzero(np.diff(same) > 1) + 1):
                out.append(self._box(r, int(run[0]), r, int(run[-1]) + 1))
        css = "pos" if k > 0 else "neg"
        strength = abs(k) / LEVELS
        return (
            f'<path class="tile {css}" opacity="{n(strength)}" d="{"".join(out)}"/>' if out else ""
        )

    def _values(self, half: bool) -> dict[str, Any]:
        """What the pointer reads out; a large symmetric field is sent once."""
        rows, columns = self.values.shape
        flat = [
            float(f"{v:.3g}") if np.isfinite(v) else None
            for r in range(rows)
            for v in self.values[r, : r + 1 if self.symmetric else columns].tolist()
        ]
        names = [list(self.rows)] if self.symmetric else [list(self.rows), list(self.columns)]
        return {"n": names, "v": flat, "half": int(half)}

"""What the SVG pictures of notebooks are written on: colours, words, legends, the frame.

Web viewers of notebooks put an SVG into their page and take styles away, so every colour is an
attribute; the few rules there are darken it for readers who ask for dark. No ids: a page holds many
pictures.
"""

from collections.abc import Sequence
from html import escape
from textwrap import wrap

from hft.reports.shapes import n

WIDTH, PAD = 720.0, 16.0
LEFT_MIN, LEFT_MAX = 60.0, 130.0  # where charts begin, for labels of any length
TEXT, SMALL = 12.5, 11.5
LETTER = 0.56  # of the size, a letter's width on average
ROOMY = 6.6  # of a letter of a legend
GAP = "\u2002\u2002"  # between two words of a legend; other spaces are one
SAYS_MAX = 82  # letters of a line

# name: on light, on dark
COLORS = {
    "card": ("#ffffff", "#161c25"), "ink": ("#18202d", "#e8ecf3"), "soft": ("#5a6576", "#9aa6b8"),
    "line": ("#dfe3ea", "#323c4a"), "grid": ("#edf0f5", "#1f2732"), "net": ("#2456d3", "#7fa5ff"),
    "gross": ("#8d97a8", "#77839a"), "pos": ("#7181e0", "#8b99f0"), "buy": ("#1668b8", "#62b2ff"),
    "sell": ("#c4570a", "#ffa55e"), "mid": ("#485467", "#a9b4c6"), "fail": ("#b3261e", "#ff8b7d"),
    "wait": ("#8f5f00", "#edb24a"), "pass": ("#00756a", "#3fcdb6"), "none": ("#7b8596", "#8b96a8"),
}  # fmt: skip
SAME = {
    "path": "gross", "late": "gross", "fit": "pos", "flat": "pos", "band": "net", "warn": "soft",
    "low": "sell", "ask": "sell", "bid": "buy", "down": "fail", "refused": "fail", "bad": "fail",
    "good": "pass",
}  # fmt: skip
PALE = {"band", "flat", "late"}


def _media(body: str) -> str:
    """Rules for the colours that are used: dark where the reader, or the host's theme, is dark."""
    used = [name for name in COLORS if f"s-{name}" in body or f"f-{name}" in body]
    light, dark = (
        f".hft-fig{{{';'.join(f'--{name}:{COLORS[name][k]}' for name in used)}}}" for k in (0, 1)
    )
    rules = "".join(
        f".hft-fig .s-{name}{{stroke:var(--{name})}}.hft-fig .f-{name}{{fill:var(--{name})}}"
        for name in used
    )
    return (
        f"{light}@media(prefers-color-scheme:dark){{{dark}}}"
        f":is([data-jp-theme-light=true],.vscode-light) {light}"
        f":is([data-jp-theme-light=false],.vscode-dark) {dark}{rules}"
    )


def color_of(css: str, default: str = "net") -> str:
    """The colour that the classes of a shape mean."""
    names = [SAME.get(name, name) for name in css.split()]
    return next((name for name in names if name in COLORS), default)


def paint(stroke: str = "", fill: str = "") -> str:
    """Attributes for light, classes for dark."""
    css = [f"s-{stroke}"] * bool(stroke) + [f"f-{fill}"] * bool(fill)
    lines = f' stroke="{COLORS[stroke][0]}"' if stroke else ""
    inner = COLORS[fill][0] if fill else "none"
    return f'class="{" ".join(css)}" fill="{inner}"{lines}'


class Page:
    """What is written so far, and how far down."""

    def __init__(self) -> None:
        self.out: list[str] = []
        self.y = PAD
        self.left = LEFT_MIN

    def down(self, by: float) -> float:
        """The new place after going down."""
        self.y += by
        return self.y

    def words(self, text: str, x: float, y: float, *, size: float = SMALL, color: str = "soft",
              anchor: str = "", weight: int = 0, halo: bool = False) -> None:  # fmt: skip
        """One line of text, on a ground of its own where it stands on a chart."""
        more = f' text-anchor="{anchor}"' if anchor else ""
        more += f' font-weight="{weight}"' if weight else ""
        look = paint("card" * halo, color)
        look += ' stroke-width="3" paint-order="stroke"' * halo
        place = f'x="{n(x)}" y="{n(y)}" font-size="{size}"'
        self.out.append(f"<text {place} {look}{more}>{escape(text)}</text>")

    def paragraph(self, text: str, size: float) -> None:
        """Words on as many lines as they take."""
        for line in wrap(text, int(SAYS_MAX * TEXT / size)):
            self.words(line, PAD, self.down(size + 4.5), size=size)

    def path(self, d: str, look: str) -> None:
        """A shape, where there is any."""
        if d:
            self.out.append(f'<path d="{d}" {look}/>')

    def caption(self, name: str, unit: str, keys: Sequence[tuple[str, str]]) -> None:
        """Name and unit on the left, the legend on the right, below where it is long."""
        base = self.down(24)
        less = f'font-size="{SMALL}" font-weight="400" {paint(fill="soft")}'
        self.out.append(
            f'<text x="{n(PAD)}" y="{n(base)}" font-size="{TEXT}" font-weight="650" '
            f"{paint(fill='ink')}>{escape(name)}"
            f'<tspan dx="7" {less}>{escape(unit)}</tspan></text>'
        )
        used = (len(name) + len(unit) + 6) * ROOMY
        lines: list[list[tuple[str, str]]] = [[]]
        for css, text in keys:
            if used + (len(text) + 4) * ROOMY > WIDTH:
                lines, used = [*lines, []], 0.0
            used += (len(text) + 4) * ROOMY
            lines[-1].append((css, text))
        for k, line in enumerate(lines):
            self._keys(line, base if k == 0 else self.down(17))
        self.down(7)

    def _keys(self, keys: Sequence[tuple[str, str]], base: float) -> None:
        """One flowing line, so that it keeps together at any size of letters."""
        parts = []
        for css, text in keys:
            look = paint(fill=color_of(css)) + ' fill-opacity=".4"' * (css in PALE)
            sign, _, said = text.partition(" ") if "sign" in css.split() else ("●", "", text)
            parts.append(f"<tspan {look}>{escape(sign)}</tspan> {escape(said)}")
        if parts:
            place = f'x="{n(WIDTH - PAD)}" y="{n(base)}" font-size="{SMALL}" text-anchor="end"'
            self.out.append(f"<text {place} {paint(fill='soft')}>{GAP.join(parts)}</text>")

    def svg(self, about: str) -> str:
        """The picture in its frame; `about` is its text equivalent."""
        height = self.down(PAD)
        size = f'width="{n(WIDTH)}" height="{n(height)}" viewBox="0 0 {n(WIDTH)} {n(height)}"'
        ground = (
            f'<rect x=".5" y=".5" width="{n(WIDTH - 1)}" height="{n(height - 1)}" rx="8" '
            f"{paint('line', 'card')}/>"
        )
        fluid = "max-width:100%;height:auto"
        body = ground + "".join(self.out)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="hft-fig" {size} role="img" '
            f'aria-label="{escape(about)}" font-family="system-ui,sans-serif" style="{fluid}">'
            f"<style>{_media(body)}</style>{body}</svg>\n"
        )

"""The page of a replay that differs: what moved, where, every figure, and both reports abreast.

One self-contained file, like a report. Where the blessed run's folder is not there, its side says
so: its figures are in the table all the same.
"""

from html import escape

from hft.reports.charts import table
from hft.reports.figures import number
from hft.reports.html import render
from hft.reports.page import style
from hft.runs.regression.inputs import KINDS
from hft.runs.regression.outcome import Figure, Outcome, as_told
from hft.runs.result import Run

STYLE = """
main{max-width:none}
pre{margin:0;overflow-x:auto;white-space:pre-wrap;font:12.5px/1.6 ui-monospace,Menlo,monospace}
.abreast{display:grid;grid-template-columns:1fr 1fr;gap:16px;margin-top:16px}
.abreast section{margin:0;padding:12px;min-width:0}
@media(max-width:900px){.abreast{grid-template-columns:1fr}}
iframe{width:100%;height:86vh;border:1px solid var(--line);border-radius:8px;background:var(--bg)}
"""
# Both reports scroll together, each by its share of its own length; one may be loaded already.
SCRIPT = """
const frames=[...document.querySelectorAll('iframe')];
const page=f=>f.contentDocument.documentElement;
const room=f=>Math.max(page(f).scrollHeight-page(f).clientHeight,1);
const link=(one,other)=>one.contentWindow.addEventListener('scroll',()=>{
  if(one.held){one.held=false;return}
  const to=Math.round(room(other)*one.contentWindow.scrollY/room(one));
  if(Math.abs(other.contentWindow.scrollY-to)<2)return;
  other.held=true;other.contentWindow.scrollTo(0,to);
});
if(frames.length===2)frames.forEach((one,k)=>{
  const there=one.contentDocument&&one.contentDocument.querySelector('main');
  if(there)link(one,frames[1-k]);else one.addEventListener('load',()=>link(one,frames[1-k]));
});
"""
HEAD = ("figure", "unit", "blessed", "now", "change", "allowed", "")


def page(one: Outcome, run: Run, blessed: Run | None) -> str:
    """The whole page."""
    title = escape(f"{one.name} · replay check")
    parts = [
        f'<header><p class="kicker">replay check</p><h1>{escape(one.name)}</h1>'
        f'<p class="notice">{escape(one.sentence)}</p></header>',
        _moved(one),
        _first(one),
        _figures(one),
        f'<div class="abreast">{_report("blessed", one.was, blessed)}'
        f"{_report('now', one.now, run)}</div>",
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{title}</title><style>{style()}{STYLE}</style></head>\n<body><main>\n"
        + "\n".join(part for part in parts if part)
        + f"\n</main><script>{SCRIPT}</script></body></html>\n"
    )


def _moved(one: Outcome) -> str:
    rows = [
        (
            kind,
            words,
            "moved" if kind in one.moved else "as blessed",
            ", ".join(one.moved.get(kind, ())),
        )
        for kind, words in KINDS.items()
    ]
    rows += [(name, "version", f"{a} > {b}", "") for name, (a, b) in one.versions.items()]
    head = ("input", "which is", "state", "parts")
    return f"<section><h2>What moved</h2>{table(head, rows, left=4)}</section>"


def _first(one: Outcome) -> str:
    if not one.first:
        return ""
    text = escape("\n".join(one.first["text"]))
    return f"<section><h2>The first difference</h2><pre>{text}</pre></section>"


def _figures(one: Outcome) -> str:
    rows = [_row(figure) for figure in as_told(one.figures)]
    return f"<section><h2>Figures</h2>{table(HEAD, rows, left=2)}</section>"


def _row(figure: Figure) -> tuple[str, ...]:
    verdict = {None: "", True: "within", False: "too far"}[figure.within]
    change = "" if figure.change in (None, 0) else number(figure.change)
    values = [number(value) for value in (figure.was, figure.now)]
    return (figure.name, figure.unit, *values, change, figure.tolerance, verdict)


def _report(side: str, digest: str, run: Run | None) -> str:
    head = f"<h2>{side}</h2><p>digest <code>{escape(digest)}</code></p>"
    if run is None:
        return (
            f"<section>{head}<p>The run that was blessed is not in this folder of runs; its "
            "figures are in the table above.</p></section>"
        )
    report = escape(render(run.view(full=True)), quote=True)
    return f'<section>{head}<iframe title="report, {side}" srcdoc="{report}"></iframe></section>'

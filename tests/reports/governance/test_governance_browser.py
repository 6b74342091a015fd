"""The governance pages in a real browser: they fit every width, load nothing, and can be read out.

Run by `make test-browser`; skips where no Chromium is installed.
"""

import json
import re
import shutil
import subprocess
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from made_documents import MADE
from made_evidence import heatmap

from hft.reports.governance import cards, pages

NAMES = ("chromium", "chromium-browser", "google-chrome")
PROBE = """
<script>
window.seen = []
addEventListener("error", e => window.seen.push(String(e.message)))
</script>
"""
ANSWER = """
<pre id="answer"></pre><script>
addEventListener("load", () => {
  const wide = innerWidth
  document.querySelectorAll("details").forEach(e => { e.open = true })
  const out = [...document.querySelectorAll("body *")].filter(e =>
    !e.closest(".scroll") && !e.closest("svg") && e.getBoundingClientRect().right > wide + 1)
  const plots = [...document.querySelectorAll(".plot")].map(e => e.getBoundingClientRect())
  const read = [...document.querySelectorAll(".plot")].map(e => {
    const box = e.getBoundingClientRect()
    e.dispatchEvent(new PointerEvent("pointermove",
      {clientX: box.left + box.width * 0.8, clientY: box.top + box.height * 0.7}))
    return e.closest("figure").querySelector(".read").textContent
  })
  const words = [...document.querySelectorAll(".yl, .hl, .vl, .times span, .bl, td, th")]
  const clipped = words.filter(e => e.getBoundingClientRect().left < -1)
  document.getElementById("answer").textContent = JSON.stringify({
    wide, over: document.documentElement.scrollWidth - wide, errors: window.seen, read,
    out: out.map(e => e.outerHTML.slice(0, 90)), plots: plots.map(p => [p.width, p.height]),
    clipped: clipped.map(e => e.outerHTML.slice(0, 90)),
    loaded: performance.getEntriesByType("resource").length,
    ink: getComputedStyle(document.body).color,
    paper: getComputedStyle(document.body).backgroundColor,
  })
})
</script>
"""


def seen(page: str, folder: Path, width: int, *more: str) -> dict[str, Any]:
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip(f"no browser: none of {', '.join(NAMES)} is installed")
    probed = page.replace("<body>", "<body>" + PROBE).replace("</body>", ANSWER + "</body>")
    (folder / "p.html").write_text(probed, encoding="utf-8")
    words = [found, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom", *more]
    words += [f"--window-size={width},1000", f"--user-data-dir={folder / 'profile'}"]
    done = subprocess.run(
        [*words, f"file://{folder / 'p.html'}"], capture_output=True, text=True, timeout=90
    )
    answer = re.search(r'<pre id="answer">(.*?)</pre>', done.stdout, re.DOTALL)
    assert answer, done.stderr
    return json.loads(unescape(answer[1]))


@pytest.mark.browser
@pytest.mark.parametrize("width", [500, 820, 1280, 1920])
@pytest.mark.parametrize("name", MADE)
def test_a_page_fits_every_width_loads_nothing_and_is_read_out(
    tmp_path: Path, name: str, width: int
) -> None:
    got = seen(pages.page(MADE[name](), name), tmp_path, width)
    assert got["wide"] == width and got["errors"] == [] and got["loaded"] == 0
    assert got["over"] <= 0 and got["out"] == [] and got["clipped"] == []
    assert all(w > 200 and h > 35 for w, h in got["plots"])
    assert sum(text == "" for text in got["read"]) <= len(got["read"]) // 4
    assert not [text for text in got["read"] if "NaN" in text or "undefined" in text]


@pytest.mark.browser
def test_dark_pages_are_dark(tmp_path: Path) -> None:
    dark = "--blink-settings=preferredColorScheme=0"
    page = pages.validation_page(MADE["validation"]())
    assert seen(page, tmp_path, 1280, dark)["paper"] != seen(page, tmp_path, 1280)["paper"]


@pytest.mark.browser
def test_two_hundred_alphas_are_read_out_tile_by_tile(tmp_path: Path) -> None:
    page = pages.pool_page({"title": "x", "pictures": [heatmap(200)]})
    got = seen(page, tmp_path, 1280)
    assert got["errors"] == [] and re.fullmatch(r"\S+ · \S+\u2002−?[\d.e-]+", got["read"][0])


@pytest.mark.browser
def test_a_notebook_card_fits_a_narrow_cell(tmp_path: Path) -> None:
    page = f"<!doctype html><html><body>{cards.html_card(MADE['validation']())}</body></html>"
    got = seen(page, tmp_path, 700)
    assert got["over"] <= 0 and got["errors"] == []

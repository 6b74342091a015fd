"""The report in a real browser: nothing sticks out at any width, nothing is loaded, no error.

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
from made_runs import records, write_run

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
  const out = [...document.querySelectorAll("main *")].filter(e =>
    !e.closest(".scroll") && !e.closest("svg") && !e.closest("details:not([open])") &&
    e.getBoundingClientRect().right > wide + 1)
  const plots = [...document.querySelectorAll(".plot")].map(e => e.getBoundingClientRect())
  document.getElementById("answer").textContent = JSON.stringify({
    wide, over: document.documentElement.scrollWidth - wide, errors: window.seen,
    out: out.map(e => e.outerHTML.slice(0, 80)), plots: plots.map(p => [p.width, p.height]),
    loaded: performance.getEntriesByType("resource").length,
    ink: getComputedStyle(document.body).color,
    paper: getComputedStyle(document.body).backgroundColor,
  })
})
</script>
"""


def browser() -> str:
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip(f"no browser: none of {', '.join(NAMES)} is installed")
    return found


LOOK = """
<pre id="answer"></pre><script>
window.requestAnimationFrame = (draw) => setTimeout(draw, 16)  // a frame may never come here
const later = (ms) => new Promise(done => setTimeout(done, ms))
addEventListener("load", async () => {
  const section = document.querySelector(".linked"), seen = {errors: window.seen}
  const plot = section.querySelectorAll(".plot")[2], box = plot.getBoundingClientRect()
  const at = (type, part, more) => plot.dispatchEvent(new PointerEvent(type, {
    clientX: box.left + box.width * part, clientY: box.top + 40, pointerId: 1, pointerType: "mouse",
    buttons: 1, ...more}))
  const lines = () => [...section.querySelectorAll("path[data-t], path[data-e]")].map(p =>
    p.getAttribute("d"))
  const words = (css) => [...section.querySelectorAll(css)].map(e => e.textContent)
  seen.whole = lines()
  at("pointermove", 0.5)
  seen.read = words(".key"), seen.moment = words(".moment")[0]
  at("pointerdown", 0.25), at("pointermove", 0.4), at("pointerup", 0.5), at("pointerleave", 0.5)
  await later(300)
  seen.closer = lines(), seen.span = words(".moment")[0], seen.times = words(".times span")
  section.querySelector("[data-do=on]").click()
  await later(300)
  seen.moved = words(".moment")[0]
  at("dblclick", 0.5)
  await later(300)
  seen.again = lines(), seen.back = words(".moment")[0]
  const finger = {pointerType: "touch"}
  at("pointerdown", 0.5, finger), at("pointerup", 0.5, finger), at("pointerleave", 0.5, finger)
  seen.touched = words(".moment")[0]
  document.getElementById("answer").textContent = JSON.stringify(seen)
})
</script>
"""


def seen_by(page: str, tmp_path: Path, width: int, answer: str) -> dict[str, Any]:
    """What the page answers in the browser."""
    probed = page.replace("<main>", PROBE + "<main>").replace("</body>", answer + "</body>")
    (tmp_path / "p.html").write_text(probed)
    words = [browser(), "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"]
    words += [f"--window-size={width},1000", f"--user-data-dir={tmp_path / 'profile'}"]
    words += ["--virtual-time-budget=4000"] if answer == LOOK else []
    done = subprocess.run(
        [*words, f"file://{tmp_path / 'p.html'}"], capture_output=True, text=True, timeout=90
    )
    found = re.search(r'<pre id="answer">(.*?)</pre>', done.stdout, re.DOTALL)
    assert found, done.stderr
    return dict(json.loads(unescape(found[1])))


@pytest.mark.browser
@pytest.mark.parametrize("width", [500, 820, 1280, 1920])
@pytest.mark.parametrize("refused", [0.0, 0.4])
def test_the_report_fits_every_width_and_loads_nothing(
    tmp_path: Path, width: int, refused: float
) -> None:
    page = write_run(tmp_path, records(refused=refused)).report(tmp_path / "r.html").read_text()
    seen = seen_by(page, tmp_path, width, ANSWER)
    assert seen["wide"] == width and seen["errors"] == [] and seen["loaded"] == 0
    assert seen["over"] <= 0 and seen["out"] == []
    assert len(seen["plots"]) >= 3 and all(w > 200 and h > 50 for w, h in seen["plots"])
    assert seen["ink"] != seen["paper"]


@pytest.mark.browser
def test_the_charts_can_be_looked_at_closer_and_read(tmp_path: Path) -> None:
    page = write_run(tmp_path, records(wakes=1200)).report(tmp_path / "r.html").read_text()
    seen = seen_by(page, tmp_path, 1280, LOOK)
    assert seen["errors"] == []
    assert re.fullmatch(r"2024-08-08 00:1\d:\d\d\.\d{3} UTC", seen["moment"])
    read = " ".join(seen["read"])
    assert re.search(r"net\s*−?[\d.]+", read) and re.search(r"bid[\s\d,.to]*57,\d{3}\.\d", read)
    # A quarter of the twenty minutes, its neighbour, and all of it again.
    assert seen["span"].startswith("2024-08-08 00:05:01") and "5 min" in seen["span"]
    assert seen["closer"] != seen["whole"] and all(seen["closer"])
    assert {"00:06", "00:07"} <= set(seen["times"])
    assert seen["moved"].startswith("2024-08-08 00:07:31")
    assert "double-click" in seen["back"]
    drawn = [len(path) for path in seen["whole"]]
    assert seen["touched"] == seen["moment"], "a finger that is lifted leaves its values"
    # Places have decimals here.
    assert [len(path) for path in seen["again"]] == pytest.approx(drawn, rel=0.35)

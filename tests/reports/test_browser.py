"""The report in a real browser: nothing sticks out at any width, nothing is loaded, no error.

Run by `make test-browser`; skips where no Chromium is installed.
"""

import json
import re
import shutil
import subprocess
from pathlib import Path

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


@pytest.mark.browser
@pytest.mark.parametrize("width", [500, 820, 1280, 1920])
@pytest.mark.parametrize("refused", [0.0, 0.4])
def test_the_report_fits_every_width_and_loads_nothing(
    tmp_path: Path, width: int, refused: float
) -> None:
    page = write_run(tmp_path, records(refused=refused)).report(tmp_path / "r.html").read_text()
    probed = page.replace("<main>", PROBE + "<main>").replace("</body>", ANSWER + "</body>")
    (tmp_path / "p.html").write_text(probed)
    words = [browser(), "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"]
    words += [f"--window-size={width},1000", f"--user-data-dir={tmp_path / 'profile'}"]
    done = subprocess.run(
        [*words, f"file://{tmp_path / 'p.html'}"], capture_output=True, text=True, timeout=90
    )
    found = re.search(r'<pre id="answer">(.*?)</pre>', done.stdout, re.DOTALL)
    assert found, done.stderr
    seen = json.loads(found[1].replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))
    assert seen["wide"] == width and seen["errors"] == [] and seen["loaded"] == 0
    assert seen["over"] <= 0 and seen["out"] == []
    assert len(seen["plots"]) >= 3 and all(w > 200 and h > 50 for w, h in seen["plots"])
    assert seen["ink"] != seen["paper"]

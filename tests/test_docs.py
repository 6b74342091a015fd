"""The docs say what is there: links resolve, and every command, reason and setting has its line."""

import re
from pathlib import Path

import pytest

from hft.cli import reference
from hft.core.codes import Reason
from hft.core.reasons import MEANINGS, STAGES, meaning
from hft.settings.keys import KEYS

ROOT = Path(__file__).resolve().parents[1]
REFERENCE = ROOT / "docs" / "reference"
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def anchor(heading: str) -> str:
    """The anchor a heading gets: lower case, words joined by hyphens."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")


def without_code(text: str) -> str:
    return re.sub(r"```.*?```", "", text, flags=re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_leads_somewhere(page: Path) -> None:
    broken = []
    for target in LINK.findall(without_code(page.read_text(encoding="utf-8"))):
        if target.startswith(("http://", "https://", "mailto:")):
            continue
        name, _, fragment = target.partition("#")
        file = (page.parent / name).resolve() if name else page
        if not file.exists():
            broken.append(target)
        elif fragment and file.suffix == ".md":
            headings = HEADING.findall(file.read_text(encoding="utf-8"))
            if fragment not in [anchor(heading) for heading in headings]:
                broken.append(target)
    assert not broken, f"{page.name}: {', '.join(broken)}"


@pytest.mark.parametrize("name", sorted(reference.pages()))
def test_the_generated_pages_are_up_to_date(name: str) -> None:
    written = (REFERENCE / name).read_text(encoding="utf-8")
    assert written == reference.pages()[name], f"docs/reference/{name} is old: run `make reference`"


def test_every_command_is_documented() -> None:
    text = (REFERENCE / "cli.md").read_text(encoding="utf-8")
    missing = [name for name, _ in reference.commands() if f"\n## {name}\n" not in text]
    assert not missing


def test_every_reason_has_a_meaning_and_a_stage() -> None:
    assert set(MEANINGS) == set(Reason)
    text = (REFERENCE / "reasons.md").read_text(encoding="utf-8")
    for reason in Reason:
        assert f"| {reason.value} | `{reason.name}` |" in text
        assert reason.value // 100 in STAGES
        assert meaning(reason.value).text.endswith(".")
    assert "999" in meaning(999).text


def test_the_setting_a_reason_names_exists() -> None:
    known = {re.sub(r"\*", "<id>", key.name) for key in KEYS}
    for reason, meant in MEANINGS.items():
        key = meant.key.replace("<s>", "<id>")
        assert not key or key in known, f"{reason.name} names {meant.key}"


def test_every_make_target_the_docs_name_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert {"demo", "test", "check", "bench", "fuzz", "bless", "help"} <= targets
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        named = re.findall(r"(?:^|`)make ([a-z-]+)", text, re.MULTILINE)
        assert set(named) <= targets, page.name


def test_the_readme_names_commands_that_exist() -> None:
    known = {name for name, _ in reference.commands()} | {"hft"}
    for line in re.findall(r"^hft .+$", (ROOT / "README.md").read_text(), re.MULTILINE):
        words = line.split()
        assert any(" ".join(words[:depth]) in known for depth in (2, 3)), line


def test_ci_runs_the_test_command_of_the_readme() -> None:
    assert "make test" in (ROOT / "README.md").read_text()
    text = (ROOT / ".ci" / "run").read_text()
    for step in ("format", "lint", "types", "layers", "tidy", "docs", "test"):
        assert re.search(rf"\b{step}\b", text)


def test_every_decision_record_is_listed() -> None:
    folder = ROOT / "docs" / "adr"
    listed = (folder / "README.md").read_text()
    for page in folder.glob("[0-9]*.md"):
        assert f"]({page.name})" in listed
        assert re.search(r"^Status: \w+", page.read_text(), re.MULTILINE)

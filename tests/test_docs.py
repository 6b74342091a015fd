"""The docs say what is there: links resolve, and every command, reason and setting has its line."""

import importlib.util
import re
import shlex
import struct
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from forked import Forks

from hft.cli import members, reference
from hft.core.codes import EventKind, Reason
from hft.core.reasons import MEANINGS, STAGES, meaning
from hft.feeds.base import DecodeOptions
from hft.gateway.limits import KEYS as LIMIT_KEYS
from hft.settings.keys import KEYS
from hft.strategies import members as table
from hft.strategies import view
from hft.strategies.registry import SHIPPED, shipped

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


def blocks(page: Path, language: str = "") -> list[str]:
    """The fenced code of a page, of one language."""
    fenced = re.findall(r"^```(\w*)\n(.*?)^```$", page.read_text(), re.DOTALL | re.MULTILINE)
    return [text for name, text in fenced if name == language]


# A strategy is compiled before the forks, by which what strategies ask for is loaded, and no thread
# starts.
IMPORTED = """
import hft.api.replays, hft.cli.app, hft.cli.data, hft.cli.replay
import hft.reports.html, hft.runs.folder.table_file, pydantic
from hft.replay.compiled import loop
from hft.strategies.base import pointer
from hft.strategies.registry import shipped
loop()
pointer([shipped("market_making")])
"""


@pytest.fixture(scope="module")
def forks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forks]:
    """A folder for all blocks, whose synthetic market is made once; processes have hft imported."""
    path = tmp_path_factory.mktemp("blocks")
    made = Forks(path, IMPORTED)
    yield made
    made.close()


def run_block(forks: Forks, code: str) -> str:
    """What code prints as the file of a process of its own."""
    (forks.folder / "example.py").write_text(code)
    script = "import runpy; runpy.run_path('example.py', run_name='__main__')"
    done = forks.run(script, forks.folder)
    assert done.returncode == 0, done.stderr
    return done.stdout


def run_python(folder: Path, code: str) -> str:
    """The same in a fresh process, which imports hft itself."""
    path = folder / "example.py"
    path.write_text(code)
    done = subprocess.run(
        [sys.executable, path.name], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_the_ten_lines_of_the_readme_run_and_show_a_card(tmp_path: Path) -> None:
    example = blocks(ROOT / "README.md", "python")[0].rstrip()
    lines = [line for line in example.splitlines() if line.strip()]
    assert len(lines) == 10, "the README promises ten lines"
    assert lines[-1] == "run"
    told = "print(run, run.fills.height, run.report('report.html'), len(quote.source))"
    out = run_python(tmp_path, f"{example}\n{told}\n")
    assert "net P&L" in out and "digest" in out and "report.html" in out


@pytest.mark.slow
def test_the_commands_of_the_readme_work_in_the_order_they_stand(
    forks: Forks, tmp_path: Path
) -> None:
    block = next(text for text in blocks(ROOT / "README.md") if text.startswith("hft data synth"))
    for line in block.splitlines():
        words = shlex.split(line, comments=True)
        done = forks.run(
            f"import sys; from hft.cli.app import main; sys.argv = {words}; main()", tmp_path
        )
        assert done.returncode == 0, f"{line}: {done.stderr}"


def test_the_page_of_first_steps_works_when_it_is_copied(forks: Forks, tmp_path: Path) -> None:
    page = ROOT / "docs" / "first-steps.md"
    made, own, swept = blocks(page, "python")
    assert forks.run(made, tmp_path).returncode == 0
    (tmp_path / "mine.py").write_text(own)
    for line in "".join(blocks(page)).splitlines():
        words = shlex.split(line)
        done = forks.run(
            f"import sys; from hft.cli.app import main; sys.argv = {words}; main()", tmp_path
        )
        assert done.returncode == 0, f"{line}: {done.stderr}"
    done = forks.run(swept, tmp_path)
    assert done.returncode == 0 and "max_drawdown" in done.stdout, done.stderr


LESSONS = blocks(ROOT / "docs" / "strategies.md", "python")


@pytest.mark.slow
@pytest.mark.parametrize("number", range(len(LESSONS)))
def test_a_block_of_the_page_about_strategies_runs_and_can_be_checked(
    number: int, forks: Forks
) -> None:
    text = LESSONS[number]
    if "@hft.queue_model" in text:
        pytest.skip("a queue model, which the test below replays with")
    named = re.search(r"^(?:def|class) (\w+)", text, re.MULTILINE)
    if named is None:  # no strategy of its own: it prints what it claims
        assert "True" in run_block(forks, text)
        return
    name = named[1]
    told = f"print({name}.check(hft.tapes('synthetic', seed=1), wakes=20))\n"
    assert f"{name}: 20 wake-ups" in run_block(forks, text + told)


@pytest.mark.slow
def test_the_queue_model_of_the_page_about_strategies_is_one_to_replay_with(forks: Forks) -> None:
    text = next(text for text in LESSONS if "@hft.queue_model" in text)
    told = (
        "run = hft.replay(hft.tapes('synthetic', seed=1), 'market_making', limits='off',\n"
        "                 venue=hft.Venue(queue=hopeful), record='digest')\n"
        "print(run.verify())\n"
    )
    assert "verified" in run_block(forks, text + told)


def test_the_page_about_strategies_has_every_form_and_names_every_word_of_order() -> None:
    page = (ROOT / "docs" / "strategies.md").read_text()
    assert len(LESSONS) >= 5 and "class " in page and "loop=True" in page
    for word in set(members.ORDER) - {"order[i]"}:
        assert re.search(rf"\b{re.split(r'[(]', word)[0]}\b", page), word


def test_every_parameter_of_a_shipped_strategy_has_a_meaning() -> None:
    assert set(members.PARAMETERS) == set(SHIPPED)
    for name in SHIPPED:
        assert set(members.PARAMETERS[name]) == set(shipped(name).params), name


def test_the_help_of_a_run_names_every_shipped_strategy() -> None:
    text = (REFERENCE / "cli.md").read_text()
    row = next(line for line in text.splitlines() if line.startswith("| `--strategy`"))
    assert all(name in row for name in SHIPPED)


def itch_message(kind: bytes, ts: int, rest: bytes) -> bytes:
    body = kind + bytes(4) + ts.to_bytes(6, "big") + rest
    return struct.pack(">H", len(body)) + body


def test_the_plug_in_of_the_docs_reads_itch(tmp_path: Path) -> None:
    text = blocks(REFERENCE / "plug-ins.md", "python")[0]
    (tmp_path / "my_itch.py").write_text(text)
    spec = importlib.util.spec_from_file_location("my_itch", tmp_path / "my_itch.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    new = struct.pack(">QcI8sI", 7, b"B", 100, b"AAPL    ", 1_900_100)
    other = struct.pack(">QcI8sI", 8, b"S", 50, b"MSFT    ", 1_000_000)
    stream = [(b"S", b"O"), (b"A", new), (b"A", other), (b"E", struct.pack(">QIQ", 7, 30, 1))]
    stream += [(b"X", struct.pack(">QI", 7, 20)), (b"D", struct.pack(">Q", 8))]
    stream += [(b"D", struct.pack(">Q", 7))]
    path = tmp_path / "20190130.itch"
    path.write_bytes(b"".join(itch_message(k, 1000 + i, r) for i, (k, r) in enumerate(stream)))
    (feed,) = module.decode([path], DecodeOptions(format="itch", symbol="AAPL"))
    rows = feed.columns
    assert rows.kind.tolist() == [EventKind.ADD, EventKind.EXECUTE, *[EventKind.CANCEL] * 2]
    assert rows.qty.tolist() == [100, 30, 20, 50]
    assert rows.price.tolist() == [19001] * 4 and feed.instrument.tick == Decimal("0.01")
    assert [finding.name for finding in feed.findings] == ["skipped"]
    assert str(rows.exch_ts[0].astype("datetime64[ns]")).startswith("2019-01-30")
    assert module.sniff(b"", path) == "itch"


def test_every_member_and_limit_has_a_meaning() -> None:
    told = {re.split(r"[\[(]", name)[0] for name in members.VIEW} - {"view"}
    assert told == {*table.VIEW_ATTRIBUTES, *table.VIEW_METHODS, *table.LADDERS}
    said = {re.split(r"[\[(]", name)[0] for name in members.ORDER} - {"order"}
    public = {name for name in vars(view.Order) if not name.startswith("_")}
    assert said == public
    assert set(members.LIMITS) == {key.name for key in LIMIT_KEYS}


def test_the_exit_codes_of_the_readme_are_those_of_the_program() -> None:
    readme = (ROOT / "README.md").read_text()
    table = readme.split("## Exit codes")[1].split("##")[0]
    page = (REFERENCE / "exit-codes.md").read_text()
    documented = set(re.findall(r"^\| (\d+) \|", page, re.MULTILINE))
    assert set(re.findall(r"^\| (\d+) \|", table, re.MULTILINE)) == documented


OF_A_WHEEL = "hft/prebuilt"  # made when a wheel is; never in the tree


def test_no_page_promises_a_file_that_is_not_there() -> None:
    for page in PAGES:
        for name in re.findall(r"`((?:hft|config|tests|docs)/[\w./-]+)`", page.read_text()):
            there = (ROOT / name).exists() or (ROOT / f"{name}.py").is_file()
            assert there or name == OF_A_WHEEL, f"{page.name}: {name}"

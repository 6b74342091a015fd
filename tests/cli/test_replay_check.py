"""`hft replay check`: unchanged replays pass; a changed one says what moved, where and how far."""

import json
import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest
import replays_world as world

from hft.cli import app
from hft.runs import result

Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def blessed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose replays are blessed, to be copied."""
    folder = tmp_path_factory.mktemp("blessed")
    file = world.make(folder)
    assert app.run(["replay", "check", str(file), "--bless", "--out", str(folder / "runs")]) == 0
    return folder


@pytest.fixture
def here(blessed: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy, always at one place: what this process has compiled of it serves again."""
    repo = blessed.with_name(f"{blessed.name}_copy")
    shutil.rmtree(repo, ignore_errors=True)
    shutil.copytree(blessed, repo)
    monkeypatch.chdir(repo)
    monkeypatch.delenv("CI", raising=False)
    return repo


def check(*args: str) -> int:
    return app.run(["replay", "check", *args])


def answers(capsys: Capture, *args: str) -> tuple[int, dict[str, dict]]:
    capsys.readouterr()
    code = check("--json", *args)
    return code, {one["name"]: one for one in json.loads(capsys.readouterr().out)["replays"]}


def test_replays_that_are_not_blessed_yet_fail_and_say_so(here: Path, capsys: Capture) -> None:
    world.change(here / "replays.yaml", lambda text: text.split("# Written by")[0])
    assert check() == 2
    assert "is not blessed yet; look at the run, then" in capsys.readouterr().out


def test_unchanged_replays_are_as_blessed_and_their_sealed_runs_answer(
    here: Path, capsys: Capture
) -> None:
    code, found = answers(capsys)
    assert code == 0 and {one["state"] for one in found.values()} == {"same"}
    assert sorted(one["how"] for one in found.values()) == ["drawn", "key"]
    assert check() == 0
    text = capsys.readouterr().out
    assert "2 same" in text and max(map(len, text.splitlines())) <= 100


def test_a_changed_parameter_is_named_with_the_first_step_and_only_its_replay(
    here: Path, capsys: Capture
) -> None:
    world.change(here / "replays.yaml", lambda text: text.replace("half_ticks: 2", "half_ticks: 3"))
    code, found = answers(capsys)
    assert code == 2 and found["quoting"]["state"] == "same"
    wider = found["wider"]
    assert wider["moved"] == {"config": ["params"]}
    first = wider["first"]
    assert first["kind"] == "step" and first["fields"] == ["price"]
    assert "NEW LIMIT" in first["blessed"] and "NEW LIMIT" in first["now"]
    assert first["blessed"] != first["now"] and first["state"]["blessed"]["net"] == 0
    assert "params.half_ticks: 2 | 3" in "\n".join(first["text"])
    net = next(one for one in wider["figures"] if one["name"] == "net")
    assert net["was"] != net["now"]


def test_a_changed_strategy_is_told_as_code(here: Path, capsys: Capture) -> None:
    world.change(
        here / "quoter.py", lambda text: text.replace("- 1, p", "- 1 + 2 * (s['n'] > 9), p")
    )
    world.change(here / "quoter.py", lambda text: text.replace("fair=0.0)", "fair=0.0, n=0)"))
    world.change(
        here / "quoter.py",
        lambda text: text.replace('s["fair"] =', 's["n"] += 1\n    s["fair"] =', 1),
    )
    code, found = answers(capsys)
    assert code == 2
    for one in found.values():
        assert one["state"] == "differs" and list(one["moved"]) == ["code"]
        first = one["first"]
        told = [row for row in first["text"] if row.startswith("code ")]
        assert 'code     +    s["n"] += 1' in told and not any('fair"] =' in row for row in told)
        assert first["step"] > 10 and first["state"]["now"]["tracked"]["fair"] > 0
        assert first["state"]["now"]["positions"] == first["state"]["blessed"]["positions"]


def test_a_changed_tape_is_told_as_the_tape(here: Path, capsys: Capture) -> None:
    shutil.rmtree(here / "tapes")
    world.market(here, rows=world.ROWS - 20)
    code, found = answers(capsys, "-k", "wider")
    assert code == 2 and list(found) == ["wider"]
    assert list(found["wider"]["moved"]) == ["tapes"]
    assert found["wider"]["first"]["step"] > 100


def test_without_the_blessed_run_the_ladder_gives_two_steps(here: Path, capsys: Capture) -> None:
    file, exact = here / "replays.yaml", 0
    world.change(
        file, lambda text: text.replace("seed: 3", "seed: 3\n    end: 2023-11-14T22:15:20Z")
    )
    for out in ("runs", "elsewhere"):
        code, found = answers(capsys, "--out", out)
        first = found["wider"]["first"]
        assert code == 2 and found["wider"]["moved"] == {"config": ["span"]}
        if out == "runs":
            exact = first["step"]
        else:
            assert first["kind"] == "span" and first["same"] <= exact <= first["other"]
            assert "the blessed run's folder is not here" in first["text"][-1]


def test_a_replay_that_differs_has_a_page_with_both_reports(here: Path, capsys: Capture) -> None:
    world.change(here / "replays.yaml", lambda text: text.replace("half_ticks: 2", "half_ticks: 3"))
    _, found = answers(capsys)
    assert found["quoting"]["page"] == "" and found["wider"]["page"] == "runs/regression/wider.html"
    page = Parsed((here / found["wider"]["page"]).read_text())
    assert page.loads == [] and page.open == []
    assert [title for title, _ in page.frames] == ["report, blessed", "report, now"]
    digests = [found["wider"][side] for side in ("was", "now")]
    for (_, report), digest in zip(page.frames, digests, strict=True):
        inner = Parsed(report)
        assert inner.frames == [] and digest in inner.text and "Profit and loss" in inner.text
    for words in ("moved: config (params)", "differ first at step 2", "max_drawdown"):
        assert words in page.text, words
    _, again = answers(capsys, "--out", "elsewhere", "--pages", "pages")
    page = Parsed((here / again["wider"]["page"]).read_text())
    assert again["wider"]["page"] == "pages/wider.html" and len(page.frames) == 1
    assert "The run that was blessed is not in this folder of runs" in page.text


class Parsed(HTMLParser):
    """A page's text, what it loads, its frames, and the tags that are left open."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text, self.open, self.loads = "", [], []
        self.frames: list[tuple[str, str]] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {key: value or "" for key, value in attrs}
        self.loads += [given[key] for key in ("src", "href") if key in given]
        if tag == "iframe":
            self.frames.append((given["title"], given["srcdoc"]))
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        return

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes nothing"

    def handle_data(self, data: str) -> None:
        self.text += data


def test_another_seed_is_not_searched_for_on_the_ladder(here: Path, capsys: Capture) -> None:
    world.change(here / "replays.yaml", lambda text: text.replace("seed: 3", "seed: 4"))
    code, found = answers(capsys, "--out", "elsewhere")
    assert code == 2 and found["wider"]["moved"] == {"config": ["seed"]}
    assert "the running digest begins with it" in found["wider"]["first"]["text"][0]


def test_a_digest_that_may_move_is_judged_by_its_figures(here: Path, capsys: Capture) -> None:
    file = here / "replays.yaml"
    world.change(file, lambda text: text.replace("seed: 3", "seed: 4"))
    world.change(
        file,
        lambda text: text.replace(
            "half_ticks: 2}", "half_ticks: 2}\n    digest: any\n    metrics: [net]"
        ),
    )
    code, found = answers(capsys)
    assert code == 0 and found["wider"]["was"] != found["wider"]["now"]
    world.change(file, lambda text: text.replace("half_ticks: 2", "half_ticks: 3"))
    code, found = answers(capsys)
    assert code == 2 and "beyond tolerance: net; moved: config" in found["wider"]["sentence"]


def test_a_figure_of_no_such_name_is_refused_with_those_there_are(
    here: Path, capsys: Capture
) -> None:
    world.change(here / "replays.yaml", lambda text: text.replace("{net: 50%", "{zebra: 50%"))
    code, found = answers(capsys)
    assert code == 78 and found["quoting"]["state"] == "error"
    assert "the run has no figure 'zebra'; it has" in found["quoting"]["sentence"]
    assert found["wider"]["state"] == "same"


def test_a_tape_that_is_gone_is_an_error_of_its_replay_alone(here: Path, capsys: Capture) -> None:
    world.change(here / "replays.yaml", lambda text: text.replace("tapes/x", "tapes/y", 1))
    code, found = answers(capsys)
    assert code == 65 and "line 3: quoting" in found["quoting"]["sentence"]
    assert found["wider"]["state"] == "same"


def test_tapes_may_lie_below_another_folder(here: Path, tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "data").mkdir()
    shutil.move(here / "tapes", tmp_path / "data")
    assert check() == 65
    assert check("--tapes", str(tmp_path / "data")) == 0


def test_a_blessed_digest_edited_by_hand_ends_the_command_with_one_sentence(
    here: Path, capsys: Capture
) -> None:
    file = here / "replays.yaml"
    at = file.read_text().index('digest: "') + len('digest: "')
    world.change(file, lambda text: text[:at] + ("0" if text[at] != "0" else "1") + text[at + 1 :])
    assert check() == 65
    said = capsys.readouterr()
    assert said.out == "" and said.err.count("\n") == 1
    assert "was edited by hand" in said.err and "-k quoting --bless" in said.err
    assert check("-k", "wider") == 65, "nothing is checked against a file that was tampered with"
    assert check("-k", "quoting", "--bless") == 0
    assert check() == 0


def test_a_bless_says_what_it_accepts_and_touches_what_was_asked_for(
    here: Path, capsys: Capture
) -> None:
    file = here / "replays.yaml"
    world.change(file, lambda text: text.replace("half_ticks: 2", "half_ticks: 3"))
    before = file.read_text()
    assert check("-k", "quoting", "--bless") == 0
    assert file.read_text() == before
    assert check("-k", "wider", "--bless") == 0
    assert "blessed, though the digest changed; moved: config (params)" in capsys.readouterr().out
    assert file.read_text() != before and check() == 0


@pytest.mark.slow
def test_replays_that_run_at_a_time_have_the_settings_of_the_command(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    (here / "own.yaml").write_text("fees: {maker_bps: 3, taker_bps: 3}\n")
    found = []
    for jobs in ("1", "2"):
        capsys.readouterr()
        how = ("--jobs", jobs, "--out", f"runs{jobs}", "--json")
        assert app.run(["--config", "own.yaml", "replay", "check", *how]) == 2
        one = json.loads(capsys.readouterr().out)["replays"]
        found.append([(row["now"], row["moved"]) for row in one])
    assert found[0] == found[1]
    assert all(moved == {"config": ["venue"]} for _, moved in found[0])
    (here / "below").mkdir()
    monkeypatch.chdir(here / "below")  # the processes of before are still there
    assert check("../replays.yaml", "--jobs", "2", "--out", "mine") == 0
    assert len(list((here / "below" / "mine").glob("*_*"))) == 2


def test_outcomes_are_shown_though_the_junit_file_cannot_be_written(
    here: Path, capsys: Capture
) -> None:
    assert check("--junit", str(here)) == 74
    said = capsys.readouterr()
    assert "2 same" in said.out and f"{here}: Is a directory" in said.err


@pytest.mark.parametrize("code", ["0", "", "'all is well'"])
def test_a_strategy_file_that_leaves_the_process_ends_its_replay_and_not_the_check(
    code: str, here: Path, capsys: Capture
) -> None:
    world.change(here / "quoter.py", lambda text: f"{text}\nimport sys\nsys.exit({code})\n")
    assert check() == 78
    found = capsys.readouterr().out
    assert "quoter.py: SystemExit" in found and "2 error" in found


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (("-k", "zebra"), 78, "no replay has 'zebra' in its name; there are quoting, wider"),
        (("none.yaml",), 78, "none.yaml: cannot be read"),
    ],
)
def test_what_is_not_there_is_one_sentence(
    args: tuple[str, ...], code: int, said: str, here: Path, capsys: Capture
) -> None:
    assert check(*args) == code
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1


def test_a_typo_in_metrics_is_answered_with_the_figure_that_was_meant(
    here: Path, capsys: Capture
) -> None:
    for wrong, meant in (("fils", "fills"), ("sharp", "sharpe")):
        text = (here / "replays.yaml").read_text()
        (here / "replays.yaml").write_text(text.replace("fills: exact}", f"{wrong}: exact}}"))
        assert check("-k", "quoting") != 0
        said = capsys.readouterr().out
        (here / "replays.yaml").write_text(text)
        assert f"the run has no figure '{wrong}'; did you mean '{meant}'?" in said


REFUSED = """
import hft

@hft.strategy(every="5s")
def greedy(view, order, p, s):
    order.new(hft.BUY, view.bid_tick, 1_000_000)
"""


def test_no_limits_are_tried_for_a_run_that_nobody_reads(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[object] = []
    monkeypatch.setattr(result, "advise", tried.append)
    (here / "greedy.py").write_text(REFUSED)
    (here / "replays.yaml").write_text(
        "replays:\n  greedy: {tapes: tapes/x, strategy: greedy.py, limits: research}\n"
    )
    assert check("--bless", "--out", "fresh") == 0
    assert not tried
    words = ["replay", "run", "tapes/x", "-s", "greedy.py", "--limits", "research", "--fresh"]
    assert app.run([*words, "--out", "other"]) == 0
    assert len(tried) == 1, "a person does read it"

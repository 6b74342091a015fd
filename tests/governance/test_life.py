"""A whole life by commands: a short one here, and docs/life.md as it stands by `make soak`."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from served import Served

from hft.cli import reference

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "life.md"
POLICY = ROOT / "docs" / "life-of-a-policy.md"
BLOCKS = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
IMPORTED = [f"hft.cli.{name}" for name in ("alpha", "audit", "data", "init")]
IMPORTED += [f"hft.api.{name}" for name in ("approval", "audit", "canaries", "canary")]
IMPORTED += [f"hft.api.{name}" for name in ("promotion", "replays", "shadow", "trace")]
IMPORTED += ["hft.api.validation", "hft.replay.compiled", "typer._adapters"]
# The engine and the strategy of a shadow run are compiled once, and workers are forks; in
# test_validate.py, test_ended.py and test_wheel_in_use.py commands start them as ever.
PREPARED = """
from hft.replay.compiled import loop
from hft.research.execution.follower import follow
from hft.research.worker import client
from hft.strategies.base import pointer
from tests import forked_workers
loop()
pointer([follow])
client.subprocess = forked_workers.stand_in(forked_workers.Started(by_forks=True))
"""

SHORT = """
hft init desk --rehearsal && cd desk
export HFT_SIGNING_KEY=$(ls "$PWD"/.state/keys/*.pub | sed 's/\\.pub$//') HFT_ALPHA_PROFILE=base
hft data synth --alpha 0.1 --seed 1 --days 120 --kind bars --out data/planted
hft alpha scaffold flow --from order_flow_imbalance --hypothesis "flow goes on" --horizon 1min
hft alpha --now 2025-01-02T10:00Z validate flow --data data/planted --profile base \\
    --taker-bps 0.25 --yes
hft data synth --alpha 0.1 --kind l2 --days 6 --seed 2 --start 2025-01-06 --out tapes/shadow
hft alpha shadow flow tapes/shadow --clock 60s --out shadow
hft alpha --now 2025-01-14T10:00Z promote flow --profile base --shadow-runs shadow/runs
echo checked > memo.md
hft alpha --now 2025-01-14T11:00Z approve flow --memo memo.md
hft data synth --alpha 0.1 --kind l2 --days 3 --seed 5 --start 2025-01-15 --out tapes/live
hft alpha --now 2025-01-17T22:00Z shadow flow tapes/live --clock 60s --canary --out live
hft alpha shadow flow tapes/live --clock 60s --out small
hft alpha canary evidence live/runs --out rows.csv
cp -r live/runs runs
hft --json alpha --now 2025-01-18T10:00Z canary flow --runs live/runs > runs.json
hft --json alpha --now 2025-01-18T10:00Z canary flow --evidence rows.csv --apply > csv.json
sed 's/,\\([0-9]*\\),\\([0-9a-f]\\{64\\}\\)$/,9999,\\2/' rows.csv > edited.csv
hft --json alpha --now 2025-01-18T11:00Z canary flow --evidence edited.csv > edited.json
hft --json alpha --now 2025-01-18T12:00Z canary flow --runs small/runs > small.json
cp -r live/runs fewer && rm -r "fewer/$(ls fewer | head -1)"
hft --json alpha --now 2025-01-18T13:00Z canary flow --runs fewer > fewer.json
mkdir -p research/experiments/canary/flow/sessions
mv runs research/experiments/canary/flow/sessions
hft --json alpha --now 2025-01-18T13:00Z canary flow --runs fewer > unshown.json
hft alpha --now 2025-01-20T10:00Z canary rollback flow --reason "enough seen"
hft --json alpha canary history flow > history.json
hft --json alpha asof 2025-01-16T12:00Z > before.json
hft --json alpha asof 2025-01-21T12:00Z > after.json
hft alpha why flow && hft alpha inventory && hft audit verify
"""


def lived(folder: Path, script: str) -> subprocess.CompletedProcess[str]:
    """The commands in one shell that stops at the first failure; `hft` is this checkout."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HFT_")}
    if "HFT_CACHE_DIR" in os.environ:
        kept["HFT_CACHE_DIR"] = os.environ["HFT_CACHE_DIR"]
    environment = kept | {"PYTHONPATH": str(ROOT)}
    served = Served(folder / "bin", IMPORTED, environment, PREPARED)
    places = [str(served.command.parent), str(Path(sys.executable).parent), os.environ["PATH"]]
    try:
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=folder,
            env=environment | {"PATH": ":".join(places), "CHECKOUT": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=1800,
            check=False,
        )
    finally:
        served.close()


def said(done: subprocess.CompletedProcess[str]) -> str:
    return f"{done.stdout[-4000:]}\n{done.stderr[-4000:]}"


@pytest.mark.soak
def test_the_page_lives_from_scaffold_to_graduation_and_twice_to_a_rollback(tmp_path: Path) -> None:
    script = "\n".join(BLOCKS.findall(PAGE.read_text(encoding="utf-8")))
    done = lived(tmp_path, f"{script}\nhft --json alpha canary history flow > history.json")
    assert done.returncode == 0, said(done)
    found = json.loads((tmp_path / "desk" / "history.json").read_text())
    rungs = [(row["cause"], row["weight"]) for row in found["changes"]]
    assert rungs == [
        ("approve", 0.01),
        ("escalate", 0.05),
        ("escalate", 0.2),
        ("escalate", 0.5),
        ("renew", 0.5),
        ("graduate", 0.5),
        ("rollback", 0.0),
        ("approve", 0.01),
        ("rollback", 0.0),
    ]
    assert (tmp_path / "desk" / "flow.zip").is_file()


@pytest.mark.soak
def test_a_policy_lives_from_its_training_to_a_rollback(tmp_path: Path) -> None:
    script = "\n".join(BLOCKS.findall(POLICY.read_text(encoding="utf-8")))
    done = lived(tmp_path, f"{script}\nhft --json alpha canary history rl_flow > history.json")
    assert done.returncode == 0, said(done)
    found = json.loads((tmp_path / "desk" / "history.json").read_text())
    rungs = [(row["cause"], row["weight"]) for row in found["changes"]]
    assert rungs == [("approve", 0.01), ("rollback", 0.0)]


@pytest.mark.parametrize(("page", "least"), [(PAGE, 30), (POLICY, 20)])
def test_every_command_of_the_page_is_one_with_its_options(page: Path, least: int) -> None:
    known = dict(reference.commands())
    lines = [line for text in BLOCKS.findall(page.read_text()) for line in text.splitlines()]
    lines = [line for line in lines if line.startswith("hft ")]
    assert len(lines) > least
    for line in lines:
        words = shlex.split(re.split(r" \|\| | && ", re.sub(r" --now \S+", "", line))[0])[1:]
        name = next(n for k in (3, 2, 1) if (n := " ".join(["hft", *words[:k]])) in known)
        command = known["hft alpha canary evaluate" if name == "hft alpha canary" else name]
        options = {option for parameter in command.params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= options, line


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The short life, lived once."""
    folder = tmp_path_factory.mktemp("life")
    done = lived(folder, SHORT)
    assert done.returncode == 0, said(done)
    return folder / "desk"


def told(desk: Path, name: str) -> dict[str, object]:
    found = json.loads((desk / name).read_text())
    return dict(found)


def test_runs_and_their_table_are_the_same_evidence(desk: Path) -> None:
    runs, table = told(desk, "runs.json"), told(desk, "csv.json")
    assert runs["metrics"] == table["metrics"] and runs["action"] == "hold"
    assert isinstance(runs["metrics"], dict) and runs["metrics"]["sessions_live"] == 3


def test_a_row_that_its_run_denies_is_missing_data(desk: Path) -> None:
    found = told(desk, "edited.json")
    assert isinstance(found["metrics"], dict) and found["metrics"]["sessions_live"] == 0
    assert "its run has" in json.dumps(found)


def test_a_session_of_another_size_than_its_rung_is_missing_data(desk: Path) -> None:
    found = told(desk, "small.json")
    assert isinstance(found["metrics"], dict) and found["metrics"]["sessions_live"] == 0
    assert "it traded 1 lot on" in json.dumps(found)


def test_a_day_that_was_counted_or_lies_at_hand_cannot_be_left_out(desk: Path) -> None:
    table, fewer, unshown = (
        told(desk, "csv.json"),
        told(desk, "fewer.json"),
        told(desk, "unshown.json"),
    )
    assert isinstance(table["counted"], dict) and isinstance(fewer["counted"], dict)
    (gone,) = set(table["counted"]) - set(fewer["counted"])
    assert fewer["action"] == "hold" and f"but not shown: {gone}" in json.dumps(fewer["reasons"])
    words = [text for text in json.dumps(unshown["reasons"]).split('"') if "at hand" in text]
    assert len(words) == 1 and gone in words[0]
    assert "at hand" not in json.dumps(fewer["reasons"])


def test_a_short_life_is_live_and_then_is_not(desk: Path) -> None:
    changes = told(desk, "history.json")["changes"]
    assert isinstance(changes, list)
    assert [(row["cause"], row["weight"]) for row in changes] == [
        ("approve", 0.02),
        ("rollback", 0.0),
    ]
    assert "0.02" in (desk / "before.json").read_text()
    assert "0.02" not in (desk / "after.json").read_text()

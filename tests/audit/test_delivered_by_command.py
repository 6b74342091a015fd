"""A validation decides the same and ends the same whatever the server does; its rows come later."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hft.api import research
from hft.audit.journal import Journal
from hft.cli.app import run
from hft.research.data.planted import write
from hft.storage.database import opened
from tests.audit.conftest import Server


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("commands") / "desk"
    research.init(root)
    research.scaffold("mine", source="order_flow_imbalance", horizon="1min", root=root)
    write(root / "data" / "planted", 0.05, days=5, seed=1)
    return root


WORDS = [
    *("alpha", "validate", "mine", "--data", "data/planted", "--profile", "base", "--yes"),
    *("--skip-gate-b-tests", "--set", "gate_b.runs_min=1.0", "--json"),
]


@pytest.fixture(scope="module")
def quiet(desk: Path, running_server: Server) -> dict[str, Any]:
    """What the command says and ends with while the server is well, in a process of its own."""
    running_server.fault()
    environment = {**os.environ, "HFT_AUDIT_DSN": running_server.source.dsn}
    done = subprocess.run(
        [sys.executable, "-m", "hft.cli.app", *WORDS],
        cwd=desk, env=environment, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.stdout, done.stderr
    assert "wait" not in done.stderr
    return {"code": done.returncode, "verdicts": verdicts(done.stdout)}


def verdicts(out: str) -> Any:
    """Verdict and evidence of each gate, as the command prints them."""
    found = json.loads(out)
    return {gate["gate"]: (gate["verdict"], gate["evidence_digest"]) for gate in found["gates"]}


def test_a_validation_decides_and_ends_as_ever_and_drain_brings_each_row_once(
    desk: Path,
    quiet: dict[str, Any],
    server: Server,
    fault: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(desk)
    monkeypatch.setenv("HFT_AUDIT_DSN", server.source.dsn)
    before = len(rows(desk))
    server.fault(**{fault: 999})  # more than one command can use up
    assert run(WORDS) == quiet["code"]
    said = capsys.readouterr()
    assert verdicts(said.out) == quiet["verdicts"]
    waits = "in the journal" in said.err and "`hft audit drain` brings them later" in said.err
    assert waits == (fault in ("down", "refuse", "cut", "mute")), said.err
    assert "Traceback" not in said.err
    assert len(rows(desk)) > before
    server.fault(replay=1)
    assert run(["audit", "drain", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["waiting"] == 0
    assert delivered(desk, server) == sorted((row["seq"], row["row_hash"]) for row in rows(desk))
    assert run(["audit", "verify"]) == 0, capsys.readouterr().out


def rows(desk: Path) -> list[dict[str, Any]]:
    return list(Journal(desk / ".state" / "audit").rows())


def delivered(desk: Path, server: Server) -> list[tuple[int, str]]:
    from hft.audit.compare import delivered

    with opened(server.source) as database:
        found = delivered(database, Journal(desk / ".state" / "audit").id)
    return [(row["seq"], row["row_hash"]) for row in found]

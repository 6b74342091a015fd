"""Wrong use ends in one sentence, the documented exit code and a row of the audit."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from validation_world import made_desk

from hft.audit.journal import read
from hft.audit.keys import dump, entry
from hft.audit.sign import generate
from hft.cli.app import run
from hft.research.data.planted import write
from hft.research.experiments import write_run
from hft.research.rl.policy import ArrayPolicy
from hft.research.worker import walls
from hft.storage.yaml_text import dump_yaml

NOON = 1_800_000_000 * 10**9
SINCE = 1_700_000_000 * 10**9
VALIDATE = ("alpha", "validate", "mine", "--data", "data/planted", "--yes")
POLICY = """
from hft.research.rl.policy import ArrayPolicy
from pathlib import Path
POLICY = ArrayPolicy.load(Path(__file__).with_name("policy.npz"))
"""
SLEEPS = """
def asleep(self, *args, **ticks):
    import time
    time.sleep(600)
for one in [one for one in vars().values() if isinstance(one, type)]:
    if one.__module__ == __name__:
        one.update = asleep
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = made_desk(tmp_path_factory.mktemp("wrong") / "desk")
    write(root / "data" / "planted", 0.05, days=20, seed=1)
    return root


@pytest.fixture
def desk(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = Path(shutil.copytree(made, tmp_path / "desk", symlinks=True))
    (root / "memo.md").write_text("checked")
    monkeypatch.chdir(root)
    return root


def impl(root: Path) -> Path:
    return root / "research" / "alphas" / "mine" / "impl.py"


def refused(capsys: pytest.CaptureFixture[str], code: int, *words: str) -> str:
    """The sentence of a command that ends with the code."""
    capsys.readouterr()
    assert run(["--json", *words]) == code
    told = json.loads(capsys.readouterr().out)
    assert told["exit_code"] == code and "\n" not in told["error"]
    return str(told["error"])


def last(root: Path, table: str) -> dict[str, Any]:
    """The newest row of a table."""
    rows = [row["row"] for row in read(root / ".state" / "audit") if row["table"] == table]
    return dict(rows[-1])


def pooled(root: Path) -> None:
    """Two members whose market jumps by more than a number holds."""
    stream = np.random.Generator(np.random.Philox(1))
    for k in range(2):
        write_run(
            root / "research" / "experiments",
            alpha_id=f"a{k}",
            now_ns=NOON + k * 10**9,
            config_hash="c",
            data_hash=str(k),
            signals=stream.standard_normal(100),
            market=np.tile([1e-200, 1e108], 50),
            ts_ns=np.arange(100) * 10**9,
        )


@pytest.mark.parametrize(
    ("code", "said", "words"),
    [
        (65, "weights would be no numbers", ("optimize", "--method", "mean_variance")),
        (65, "'nobody': is not in the pool", ("marginal", "--alpha-id", "nobody")),
        (65, "there is no such folder", ("optimize", "--base-dir", "nowhere")),
        (78, "ridge-alpha: nan", ("optimize", "--method", "ridge", "--ridge-alpha", "nan")),
        (78, "min-uplift: inf", ("marginal", "--alpha-id", "a0", "--min-uplift", "inf")),
    ],
)
def test_weights_that_are_no_numbers_or_of_nobody(
    desk: Path, capsys: pytest.CaptureFixture[str], code: int, said: str, words: tuple[str, ...]
) -> None:
    pooled(desk)
    sentence = refused(capsys, code, "alpha", "pool", *words)
    assert said in sentence
    row = last(desk, "control_log")
    assert (row["scope"], row["kind"]) == ("pool", "refused")
    assert row["cause"] == f"pool {words[0]} refused: {sentence}"


def test_a_look_at_the_pool_that_asks_for_no_weights_leaves_no_row(
    desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    refused(capsys, 65, "alpha", "pool", "matrix", "--base-dir", "nowhere")
    assert not (desk / ".state" / "audit").exists()


def test_a_guardrail_of_a_canary_that_is_no_number(
    desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sentence = refused(capsys, 78, "alpha", "promote", "mine", "--max-live-slippage-bps", "inf")
    assert "inf is not a finite number" in sentence
    assert json.loads(last(desk, "alpha_promotion_log")["reasons"]) == [sentence]


def test_a_policy_with_a_weight_that_is_no_number(
    desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ArrayPolicy.zeros(2, 1).save(impl(desk).with_name("policy.npz"))
    with np.load(impl(desk).with_name("policy.npz")) as stored:
        shape = stored["shape"]
    np.savez(impl(desk).with_name("policy.npz"), shape=shape, weights=[np.nan, 0.0, 0.0])
    impl(desk).write_text(impl(desk).read_text() + POLICY)
    sentence = refused(capsys, 65, *VALIDATE)
    assert "layer 0 has a weight that is no number" in sentence
    row = last(desk, "alpha_gate_log")
    assert row["verdict"] == "FAIL" and json.loads(row["details"])["error"] == sentence


@pytest.mark.parametrize("name", ["mine", "no such alpha"])
def test_a_policy_that_was_never_trained(
    desk: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    sentence = refused(capsys, 65, "alpha", "rl-promote", name)
    assert "has no reinforcement-learning run" in sentence
    assert json.loads(last(desk, "alpha_promotion_log")["reasons"]) == [sentence]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("freeze", "nobody"), 65, "there is no such alpha"),
        (("freeze", "mine", "--key", "stranger"), 2, "register it there"),
        (("freeze", "a" * 300), 65, "64 are the most"),
        (("promote", "a" * 300), 65, "64 are the most"),
        (("approve", "a" * 300, "--memo", "memo.md"), 65, "64 are the most"),
    ],
)
def test_a_signature_for_what_is_not_there_or_by_nobody(
    desk: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], code: int, said: str
) -> None:
    generate(desk / "stranger", "stranger")
    sentence = refused(capsys, code, "alpha", *words)
    assert said in sentence
    row = last(desk, "alpha_promotion_log")
    assert row["stage"] == {"promote": "propose"}.get(words[0], words[0])
    assert not row["approved"] and json.loads(row["reasons"]) == [sentence]


def test_a_worker_that_the_kernel_kills(desk: Path) -> None:
    """As where memory ran out: the process of the alpha is gone, whatever the judge does."""
    impl(desk).write_text(impl(desk).read_text() + SLEEPS)
    begun = subprocess.Popen(
        [sys.executable, "-m", "hft.cli.app", *VALIDATE, "--skip-gate-b-tests"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline, children = time.monotonic() + 300, f"/proc/{begun.pid}/task/{begun.pid}/children"
    killed: set[str] = set()
    while begun.poll() is None:
        assert time.monotonic() < deadline
        for one in set(Path(children).read_text().split()) - killed:
            if "hft.research.worker.room" in Path(f"/proc/{one}/cmdline").read_text():
                os.kill(int(one), signal.SIGKILL)
                killed.add(one)
        time.sleep(0.1)
    told = begun.communicate()[1].strip().splitlines()
    assert begun.returncode == 65 and "its process was ended by SIGKILL" in told[-1]
    row = last(desk, "alpha_gate_log")
    assert row["verdict"] == "FAIL" and "was ended by SIGKILL" in row["details"]


def test_a_machine_without_walls(
    desk: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(walls, "missing", lambda: "this kernel has no Landlock")
    assert run([*VALIDATE, "--skip-gate-b-tests"]) == 2
    told = capsys.readouterr().out
    assert "INSUFFICIENT (walls, history): a machine with Landlock" in " ".join(told.split())
    rows = [row["row"] for row in read(desk / ".state" / "audit")]
    (row,) = [row for row in rows if row.get("gate") == "A"]
    assert row["verdict"] == "INSUFFICIENT"
    assert "the alpha ran without walls: this kernel has no Landlock" in row["details"]


def test_keys_that_fewer_than_the_quorum_signed(
    desk: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One of two signed a change; somebody puts it in place all the same."""
    people = {"ann": ["owner"], "bob": ["validator"], "cyd": ["risk"]}
    store = desk.parent / "store"
    public = {name: generate(store / name, name) for name in (*people, "dan")}
    rows = [entry(one, public[one], roles=what, from_ns=SINCE) for one, what in people.items()]
    root = store / "trust.yaml"
    root.write_text(dump_yaml({"quorum": 2, "keys": rows}))
    keys = desk / "config" / "keys.yaml"
    keys.write_text(dump(rows))
    monkeypatch.setenv("HFT_TRUST_ROOT", str(root))
    word = ("--pub", str(store / "dan.pub"), "--role", "validator", "--key", str(store / "bob"))
    assert run(["audit", "keys", "add", "dan", *word]) == 0
    again = refused(capsys, 2, "audit", "keys", "sign", "--key", str(store / "bob"))
    row = last(desk, "control_log")
    assert row["kind"] == "keys" and row["cause"].endswith(again)
    keys.write_text(json.loads(keys.with_name("keys.pending.json").read_bytes())["keys"])
    for words in (("promote", "mine"), ("freeze", "mine", "--key", str(store / "dan"))):
        sentence = refused(capsys, 2, "alpha", *words)
        assert "no quorum signed" in sentence
        assert json.loads(last(desk, "alpha_promotion_log")["reasons"]) == [sentence]


def test_a_remote_that_is_away(
    desk: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HFT_ANCHOR_REMOTE", str(desk.parent / "nowhere"))
    for words in (("promote", "mine"), ("freeze", "mine"), ("approve", "mine", "--memo", "m")):
        sentence = refused(capsys, 69, "alpha", *words)
        assert "nothing was changed, try again when it answers" in sentence
        assert json.loads(last(desk, "alpha_promotion_log")["reasons"]) == [sentence]

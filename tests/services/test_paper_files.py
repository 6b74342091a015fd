"""Promotions and signed limits in a session that runs: heard at once, audited, and replayed."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from killed_life import bury
from paper_world import SECOND, Killed, Machine, go_on, trade
from promotion_world import ALPHA, World

from hft.api import gateway
from hft.audit.journal import Journal
from hft.audit.keys import dump, entry
from hft.audit.sign import generate, sign
from hft.core.errors import ConfigError
from hft.governance.canary.apply import apply, rollback_by_hand
from hft.runs.ingest import synthetic
from hft.runs.result import Run
from hft.services.paper import mailbox
from hft.services.paper.changes import no_limits
from hft.tape.dataset import Tapes

# Nobody closes the files of a life that is killed, as nobody does in a process that is.
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
BOUND = {"alphas": {"market_making": ALPHA}, "end": "2024-01-02T00:03:00Z"}
LIMITS = {"limits": "research", "end": "2024-01-02T00:03:00Z"}


@pytest.fixture(autouse=True)
def killed_lives_are_over() -> Iterator[None]:
    """The files of a killed life are collected here, and not in the middle of another test."""
    yield
    bury()


@pytest.fixture(scope="module")
def tapes(tmp_path_factory: pytest.TempPathFactory) -> Tapes:
    return synthetic(seed=1, out=tmp_path_factory.mktemp("market"), events=400_000)


@pytest.fixture(scope="session")
def key_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("keys")


@pytest.fixture
def world(tmp_path: Path, key_store: Path) -> World:
    made = World.made(tmp_path / "desk", key_store)
    made.promoted()
    return made


def roll_back(world: World) -> None:
    file = world.file()
    assert file.promotion is not None
    decision = rollback_by_hand(file.promotion, "it lost")
    apply(world.office("cyd"), file, decision, person=world.person("cyd"), key=world.key("cyd"))


def edit(world: World) -> None:
    path = world.file().path
    path.write_text(path.read_text().replace("weight: 0.01", "weight: 0.5"))


def audited(world: World, kind: str) -> list[dict[str, Any]]:
    rows = Journal(world.workspace.audit_journal).rows()
    own = [row["row"] for row in rows if row["table"] == "control_log"]
    return [one for one in own if one["kind"] == kind and "tape_ns" in one["evidence"]]


def new_orders(run: Run) -> pl.DataFrame:
    return run.decisions.filter(pl.col("intent") == "NEW")


@pytest.mark.parametrize(("spoil", "code"), [(roll_back, "DISABLED"), (edit, "UNSIGNED_PROMOTION")])
def test_an_alpha_is_silent_at_once_when_its_promotion_does_not_count_any_more(
    tapes: Tapes, world: World, tmp_path: Path, spoil: Callable[[World], None], code: str
) -> None:
    machine = Machine(world.now_ns)
    spoiled_ns = world.now_ns + 5 * SECOND
    machine.at[spoiled_ns] = lambda: spoil(world)
    promotions = world.workspace.promotions
    done = trade(machine, tmp_path / "home", tapes, promotions=promotions, **BOUND)
    assert done.ended == "the tapes ended"
    first, last = audited(world, "policy")
    assert first["new_state"] == "weight 0.01" and first["old_state"] == "weight not known"
    assert (last["scope"], last["old_state"], last["new_state"]) == (
        *(ALPHA, "weight 0.01"),
        "weight 0",
    )
    told = json.loads(last["evidence"])
    assert told["code"] == code
    # Heard within a poll of 200 ms of the machine: 4 s of a tape that passes 20 times as fast.
    at_ns = told["tape_ns"]
    asked = new_orders(done.run)
    sent = asked.filter(pl.col("reason") == "OK")["ts"].cast(pl.Int64)
    assert sent.filter(sent < at_ns).len() > 20
    # What leaves after it closes a position; nothing makes one larger.
    fills = done.run.fills.filter(pl.col("ts").cast(pl.Int64) > at_ns + SECOND)
    held = fills["position_lots"].abs().to_list()
    assert held == sorted(held, reverse=True)
    late = asked.filter(pl.col("ts").cast(pl.Int64) >= at_ns)
    assert late.filter(pl.col("reason") == "ALPHA_NOT_LIVE").height > 20
    assert set(late["reason"]) <= {"ALPHA_NOT_LIVE", "OK"}
    weights = [one for one in done.run.manifest["config"]["controls"] if one["kind"] == "promotion"]
    begun_ns = weights[0]["at_ns"]
    assert 100 * SECOND <= at_ns - begun_ns <= 105 * SECOND
    cancels = done.run.decisions.filter(
        (pl.col("intent") == "CANCEL") & (pl.col("ts").cast(pl.Int64) == at_ns)
    )
    assert cancels.height > 0, "what worked is cancelled in that moment"
    before = done.run.orders.filter(pl.col("sent").cast(pl.Int64) < at_ns)["ended"]
    assert not before.is_null().any() and before.cast(pl.Int64).max() < at_ns + SECOND  # type: ignore[operator]
    assert gateway.reconcile(done.run).same


def test_a_life_after_a_kill_looks_at_the_promotions_before_it_decides(
    tapes: Tapes, world: World, tmp_path: Path
) -> None:
    machine = Machine(world.now_ns, dies_ns=world.now_ns + 4 * SECOND)
    given = {"promotions": world.workspace.promotions, **BOUND}
    with pytest.raises(Killed):
        trade(machine, tmp_path / "home", tapes, **given)
    roll_back(world)
    machine.dies_ns = 1 << 62
    machine.now_ns += SECOND
    done = go_on(machine, tmp_path / "home")
    heard = done.run.manifest["config"]["controls"]
    (back_ns,) = [one["value"] for one in heard if one["kind"] == "down"]
    asked = new_orders(done.run).with_columns(at=pl.col("ts").cast(pl.Int64))
    assert asked.filter((pl.col("reason") == "OK") & (pl.col("at") < back_ns)).height > 20
    assert "ALPHA_NOT_LIVE" in set(asked.filter(pl.col("at") >= back_ns)["reason"].head(4))
    assert gateway.reconcile(done.run).same


def rita(world: World, key_store: Path) -> None:
    """Somebody with the role `risk` joins the people of the desk."""
    if not (key_store / "rita").exists():
        generate(key_store / "rita", "rita")
    public = (key_store / "rita.pub").read_text()
    row = entry("rita", public, emails=["rita@desk.example"], roles=("risk",), from_ns=0)
    keys = world.workspace.keys
    keys.write_text(keys.read_text() + dump([row]))


def signed(path: Path, text: str, who: Path) -> None:
    path.write_text(text)
    path.with_name(path.name + ".sig").write_text(sign(text.encode(), who))


def test_signed_limits_are_in_force_at_the_next_intent_and_others_change_nothing(
    tapes: Tapes, world: World, key_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rita(world, key_store)
    monkeypatch.chdir(world.root)
    machine, home = Machine(world.now_ns), tmp_path / "home"
    file = tmp_path / "narrow.yaml"
    research = (Path(__file__).parents[2] / "config/limits/research.yaml").read_text()
    narrow = research.replace(
        "max_position_size: max(100 lots, 50 x touch)", "max_position_size: 1"
    )
    assert narrow != research

    def ask(number: int, entry: dict[str, Any]) -> None:
        (home / mailbox.MAILBOX / f"{number}.ask").write_text(json.dumps(entry))

    def swap(number: int) -> Callable[[], None]:
        return lambda: ask(number, {"kind": "limits", "file": str(file), "by": "ann"})

    file.write_text(narrow)
    machine.at[world.now_ns + 2 * SECOND] = swap(1)  # nobody signed it
    machine.at[world.now_ns + 3 * SECOND] = lambda: (
        signed(file, narrow, key_store / "ann"),
        swap(2)(),
    )[1]
    machine.at[world.now_ns + 4 * SECOND] = lambda: (
        signed(file, narrow, key_store / "rita"),
        swap(3)(),
    )[1]
    done = trade(machine, home, tapes, **LIMITS)
    answers = [json.loads((home / mailbox.MAILBOX / f"{n}.answer").read_text()) for n in (1, 2, 3)]
    assert "needs a signature of somebody with the role 'risk'" in answers[0]["refused"]
    assert "ann has not the role 'risk'" in answers[1]["refused"]
    assert answers[2]["refused"] == ""
    (row,) = audited(world, "limits")
    assert row["cause"] == "narrow.yaml signed by rita" and row["old_state"] != row["new_state"]
    assert json.loads(row["evidence"])["by"] == "ann"
    heard = [one["kind"] for one in done.run.manifest["config"]["controls"]]
    assert heard == ["limits"]
    at_ns = answers[2]["at_ns"]
    limited = done.run.decisions.filter(pl.col("reason") == "POSITION_LIMIT")["ts"].cast(pl.Int64)
    assert limited.len() > 0 and limited.min() >= at_ns  # type: ignore[operator]
    assert gateway.reconcile(done.run).same


def test_limits_need_a_workspace_whose_keys_say_who_may_sign() -> None:
    with pytest.raises(ConfigError, match=r"limits.yaml: nobody can stand for limits here"):
        no_limits("limits.yaml")

"""Of every setting: which line reads it, and what changes when it changes.

A case is two values and an act whose outcome they change. Limits have their own table beside.
"""

import ast
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import polars as pl
import pytest

import hft
from hft.api import answers, canary, desk, promotion, recorder, search
from hft.core.errors import ConfigError
from hft.runs.job import Job
from hft.runs.prepare import prepare
from hft.settings.keys import KEYS, Key
from hft.settings.load import load_settings
from hft.strategies.registry import shipped

ROOT = Path(__file__).resolve().parents[2]
START = 1_700_000_000 * 10**9
BASE64 = "c2VjcmV0"
Act = Callable[[Path], Any]


def seen(read: Callable[[desk.Desk], Any]) -> Act:
    """What a governance call sees at its desk; a refusal is seen too."""

    def act(folder: Path) -> Any:
        (folder / "config" / "strategy_promotions").mkdir(parents=True, exist_ok=True)
        for name in ("one", "other"):
            (folder / name).write_text(name)
        try:
            return read(desk.open_desk(folder))
        except ConfigError as error:
            return str(error)

    return act


def stricter(here: desk.Desk) -> Any:
    return canary._careful(here, here.profile()).values


def expiry(here: desk.Desk) -> Any:
    """The expiry that a proposal asks for when its author names none."""
    fields = dict.fromkeys(promotion.Wishes.__dataclass_fields__)
    wishes = promotion.Wishes(**fields | {"renew": False, "tighten": {}, "asserted": {}})
    alpha = type("A", (), {"manifest": type("M", (), {"family": "f"})})
    made = type("Made", (), {"alpha": alpha, "data": type("D", (), {"calendar": None})})
    asked = promotion._asked(here, None, wishes, made, "a", "t", {}, here.profile())  # type: ignore[arg-type]
    return asked.expiry_days


def kept_of(target: str, name: str | int, call: Callable[[], Any]) -> Any:
    """An argument with which `target` is called."""
    kept: list[Any] = []

    def keep(*given: Any, **named: Any) -> Any:
        kept.append(given[name] if isinstance(name, int) else named[name])
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        module, attribute = target.rsplit(".", 1)
        patch.setattr(import_module(module), attribute, keep)
        patch.setattr(import_module("hft.research.search.run"), "search_hash", lambda *given: "h")
        with pytest.raises(KeyboardInterrupt):
            call()
    return kept[0]


def cache(here: desk.Desk) -> Any:
    plan = SimpleNamespace(mode="random")
    return kept_of(
        "hft.research.search.run.run", "cache_mb", lambda: search._run(here, plan, None, "", 1, {})
    )


def looks(here: desk.Desk) -> Any:
    return kept_of("hft.governance.vault.budgets", 1, lambda: answers._budgets(here.root, None))


def job(folder: Path) -> Job:
    """The job that `hft.replay` makes of the settings."""
    strategy = shipped("market_making")
    tapes, out = market(folder), folder / "runs"
    made: Job = kept_of(
        "hft.api.one_replay.execute", 0, lambda: hft.replay(tapes, strategy, out=out)
    )
    return made


def options(name: str) -> Act:
    """An option with which `hft.replay` executes the job."""

    strategy = shipped("market_making")
    return lambda folder: kept_of(
        "hft.api.one_replay.execute", name, lambda: hft.replay(market(folder), strategy)
    )


def engine(read: Callable[[Any], Any]) -> Act:
    """Something of the engine that stands ready after the settings."""
    return lambda folder: read(prepare(job(folder), "digest")[0].engine)


def market(folder: Path) -> Any:
    """A tape of a few quotes."""
    made = folder / "tapes"
    if made.exists():
        return hft.tapes(made)
    names = {"ts": "ts", "bid": "bid", "ask": "ask", "bid_qty": "bid_qty", "ask_qty": "ask_qty"}
    rows = [
        {"ts": START + k * 10**9, "bid": 99 + k % 2, "ask": 101 + k % 2, "bid_qty": 5, "ask_qty": 5}
        for k in range(20)
    ]
    return hft.ingest(pl.DataFrame(rows), made, columns=names, symbol="X", tick=1, lot=1)


def split(folder: Path) -> Any:
    from hft.research.data.splits import shares_of

    return shares_of(load_settings(workspace=folder).alpha_split)


def grid(folder: Path) -> Any:
    """The tick that the table of instruments gives an unlisted symbol."""
    from hft.settings.instruments import read_instruments

    for name, tick in (("one", "0.5"), ("other", "0.25")):
        (folder / f"{name}.yaml").write_text(f"X: {{tick: '{tick}', lot: '1'}}\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        return read_instruments(load_settings().instruments)["X"].tick


class Case(NamedTuple):
    one: str
    other: str
    act: Act


CASES: dict[str, Case] = {
    "HFT_LIMITS": Case("research", "contract", lambda at: dict(job(at).limits.values)),
    "HFT_INSTRUMENTS": Case("one.yaml", "other.yaml", grid),
    "replay.record": Case("digest", "summary", options("record")),
    "replay.out": Case("here", "there", options("out")),
    "replay.cache": Case("1", "0", options("fresh")),
    "runs.max_journal_gb": Case("1", "2", options("max_journal_bytes")),
    "runs.snapshot_s": Case("60", "120", options("snapshot_s")),
    "venue.fills": Case("capped", "whole", engine(lambda e: int(e.venue.head[0]["capped"]))),
    "fees.maker_bps": Case(
        "1", "2", engine(lambda e: int(e.trading.instruments[0]["maker_fee_e8"]))
    ),
    "fees.taker_bps": Case(
        "1", "2", engine(lambda e: int(e.trading.instruments[0]["taker_fee_e8"]))
    ),
    "HFT_DEDUP_WINDOW_SIZE": Case("16", "32", engine(lambda e: len(e.trading.gw.dedup))),
    "HFT_ORDER_QUEUE_SIZE": Case("16", "32", engine(lambda e: len(e.trading.gw.orders))),
    "HFT_GATEWAY_STARTUP_HOLDOFF_S": Case(
        "0", "60", engine(lambda e: [int(value) for value in e.controls["value"]])
    ),
    "HFT_KEYS": Case("one", "other", seen(lambda here: here.keys_hash)),
    "HFT_SIGNING_KEY": Case("one", "other", seen(lambda here: promotion.key_of(here, None))),
    "HFT_TRUST_ROOT": Case("/absent/one", "/absent/other", seen(lambda here: here.trust)),
    "HFT_ANCHOR_REMOTE": Case("/absent/one", "/absent/other", seen(lambda h: vars(h.remote))),
    "HFT_ALPHA_REGISTRY": Case("/absent/a", "/absent/b", seen(lambda h: h.ledger.registry)),
    "HFT_PROMOTIONS_DIR": Case("one", "other", seen(lambda here: here.workspace.promotions.name)),
    "HFT_AUDIT_DSN": Case("chdb://a", "chdb://b", seen(lambda here: here.database.dsn)),
    "HFT_CLICKHOUSE_HOST": Case("a", "b", seen(lambda here: vars(here.source("clickhouse://")))),
    "HFT_CLICKHOUSE_PORT": Case("1", "2", seen(lambda here: vars(here.source("clickhouse://")))),
    "HFT_AUDIT_JOURNAL_DIR": Case("a", "b", seen(lambda here: here.workspace.audit_journal.name)),
    "HFT_WAL_DIR": Case("a", "b", seen(lambda here: recorder.place_of(root=here.root).wal.name)),
    "HFT_RECORDER": Case("one", "other", seen(lambda here: recorder.place_of(root=here.root))),
    "HFT_ALPHA_AUDIT_ENABLED": Case("1", "0", seen(lambda here: here.auditor.enabled)),
    "HFT_AUDIT_HMAC_KEY_FILE": Case("one", "other", seen(lambda here: here.hmac_key)),
    "AUDIT_HMAC_KEY": Case(BASE64, BASE64[:4], seen(lambda here: here.hmac_key)),
    "HFT_ALPHA_PROFILE": Case("standard", "base", seen(lambda here: here.profile().name)),
    "HFT_CANARY_ESCALATION_SESSIONS": Case("100", "200", seen(stricter)),
    "HFT_CANARY_SHARPE_RATIO": Case("5", "6", seen(stricter)),
    "alpha.expiry_days": Case("30", "60", seen(expiry)),
    "alpha.bundle_days": Case("7", "14", seen(lambda here: promotion.office_of(here).bundle_days)),
    "alpha.split": Case("40,40,20", "60,20,20", split),
    "alpha.vault_looks": Case("1", "2", seen(looks)),
    "alpha.search_cache_mb": Case("16", "32", seen(cache)),
    "alpha.rehearsal": Case("0", "1", seen(lambda here: here.actor)),
}
# Only one value is accepted: the key says so to who looks for it.
FIXED = {"HFT_GATEWAY_HALT_CANCEL": "0", "audit.ttl_days": "30"}
SETTINGS = {key.name: key for key in KEYS if not key.limit}


def variable(key: Key) -> str:
    return key.variables[0]


def test_every_setting_has_a_case() -> None:
    assert set(CASES) | set(FIXED) == set(SETTINGS)


@pytest.mark.parametrize("name", CASES)
def test_another_value_of_the_setting_changes_what_happens(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = CASES[name]
    found = []
    for value in (case.one, case.other):
        monkeypatch.setenv(variable(SETTINGS[name]), value)
        found.append(case.act(tmp_path))
    assert found[0] != found[1]


@pytest.mark.parametrize("name", FIXED)
def test_a_setting_with_one_value_refuses_another(name: str) -> None:
    with pytest.raises(ConfigError, match=name):
        load_settings({name: FIXED[name]}, {})


def _attributes() -> dict[str, set[Path]]:
    """Attribute names that are read in `hft`, outside of the settings."""
    found: dict[str, set[Path]] = {}
    for path in (ROOT / "hft").rglob("*.py"):
        if path.is_relative_to(ROOT / "hft" / "settings"):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
                found.setdefault(node.attr, set()).add(path)
    return found


def test_a_line_outside_of_the_settings_reads_each_one() -> None:
    attributes = _attributes()
    fields = {
        name: name.removeprefix("HFT_").replace(".", "_").lower()
        for name in SETTINGS
        if name not in FIXED
    }
    assert [name for name, field in fields.items() if field not in attributes] == []

"""Limits are swapped between two intents by a file that somebody with the role signed, or not."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from service_world import QUICK, SYMBOLS, Answers, desk_of, intent, limits_of, real_world

from hft.audit.keys import Keys, dump, entry
from hft.audit.sign import generate, sign
from hft.core.codes import Reason
from hft.core.errors import ConfigError
from hft.gateway.limits import Limits
from hft.gateway.resolve import ResolvedLimits
from hft.services.adapters.loopback import Loopback, LoopbackVenue
from hft.services.channel import LocalIntentChannel
from hft.services.desk_file import load_desk
from hft.services.journal import Journal
from hft.services.lease.lease import AlwaysLeads
from hft.services.limit_files import LimitArchive, LimitWatch, read_signed
from hft.services.ports import Alert, World
from hft.services.service import GatewayService
from hft.services.typed import TypedIntents
from hft.storage.strict_yaml import load_yaml
from hft.trading.desk import Desk

NOW_NS = 1_793_577_600_000_000_000
WIDE, NARROW = "max_position_size: 100\n", "max_position_size: 2\n"
FASTER = "max_position_size: 100\nrisk_limits.orders_per_second: 5000\n"


def resolve(content: bytes, source: str) -> ResolvedLimits:
    off = Limits.off().to_dict()
    return limits_of(Limits.from_dict(off | dict(load_yaml(content.decode(), source)), "live"))


@pytest.fixture(scope="session")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("people")
    rows = []
    for name, role in (("rita", "risk"), ("otto", "owner")):
        generate(folder / name, name)
        public = (folder / f"{name}.pub").read_text()
        mail = [f"{name}@desk.example"]
        rows.append(entry(name, public, emails=mail, roles=(role,), from_ns=0))
    (folder / "keys.yaml").write_text(dump(rows))
    return folder


def write(path: Path, text: str, people: Path, who: str = "rita") -> None:
    path.write_text(text)
    path.with_name(path.name + ".sig").write_text(sign(text.encode(), people / who))


def test_limits_count_when_somebody_with_the_role_signed_these_very_bytes(
    people: Path, tmp_path: Path
) -> None:
    path, keys = tmp_path / "limits.yaml", Keys.read(people / "keys.yaml")
    path.write_text(WIDE)
    with pytest.raises(ConfigError, match=r"needs a signature of somebody with the role 'risk'"):
        read_signed(path, keys, resolve, NOW_NS)
    write(path, WIDE, people, "otto")
    with pytest.raises(ConfigError, match="otto has not the role 'risk'"):
        read_signed(path, keys, resolve, NOW_NS)
    write(path, WIDE, people)
    assert read_signed(path, keys, resolve, NOW_NS).signer == "rita"
    path.write_text(NARROW)
    with pytest.raises(ConfigError, match="changed after signing"):
        read_signed(path, keys, resolve, NOW_NS)


def service_of(place: Path, desk: Desk, alerts: list[Alert], rows: list[Any]) -> GatewayService:
    given = real_world(alerts)
    world = World(given.now_ns, given.alerts, given.beside, lambda table, row: rows.append(row))
    return GatewayService(
        desk,
        Journal(place / "journal", "account 1"),
        Loopback(LoopbackVenue()),
        LocalIntentChannel(world.now_ns, ttl_ns=0),
        TypedIntents(["maker", "taker"], SYMBOLS),
        AlwaysLeads(),
        world,
        QUICK,
    )


async def ask(service: GatewayService, answers: Answers, key: str, qty: int) -> Reason:
    service.submit(intent(key=key, qty=qty), answers.of(key))
    while key not in answers.heard:
        await asyncio.sleep(0.001)
    return answers.reason(key)


def test_a_signed_file_is_in_force_at_the_next_intent_and_the_journal_is_read_with_it(
    people: Path, tmp_path: Path
) -> None:
    path, first = tmp_path / "limits.yaml", resolve(WIDE.encode(), "first")
    archive, alerts, rows = LimitArchive(tmp_path / "limits"), [], []  # type: ignore[var-annotated]
    write(path, WIDE, people)

    async def swap() -> str:
        service, answers = service_of(tmp_path, desk_of(first), alerts, rows), Answers()
        keys = people / "keys.yaml"
        now = service.world.now_ns
        watch = LimitWatch(service, path, keys, resolve, archive, now)
        await service.start()
        running = asyncio.create_task(service.run())
        while not service.is_ready:
            await asyncio.sleep(0.001)
        assert not await watch.once() and not rows
        assert await ask(service, answers, "a", 3) is Reason.OK
        path.write_text(NARROW)
        assert not await watch.once() and "changed after signing" in alerts[-1].said
        write(path, FASTER, people)
        assert not await watch.once() and "may be lowered within a run" in alerts[-1].said
        assert await ask(service, answers, "b", 3) is Reason.OK
        write(path, NARROW, people)
        assert await watch.once()
        assert await ask(service, answers, "c", 3) is Reason.ORDER_SIZE
        service.stop()
        await running
        return service.desk.digest()

    digest = asyncio.run(swap())
    assert [row["cause"] for row in rows] == ["limits.yaml signed by rita"]
    desk = desk_of(first, other_limits=archive.read(resolve))
    for found in Journal(tmp_path / "journal", "account 1").read(1 << 60):
        desk.replay(found)
    assert desk.digest() == digest
    beside = load_desk(tmp_path / "journal", "account 1")  # as a checkpointer makes it
    for found in Journal(tmp_path / "journal", "account 1").read(1 << 60):
        beside.replay(found)
    assert beside.digest() == digest
    kept = sorted((tmp_path / "limits").iterdir())
    kept[0].write_text("max_position_size: 3\n")
    with pytest.raises(ConfigError, match="the file was edited"):
        archive.read(resolve)

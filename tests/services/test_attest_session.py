"""The controls that a session shows pass, and each that was broken is found."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hft.api import attest_pack
from hft.api.attest_pack import CONTROLS
from hft.api.attest_session import House
from hft.core.codes import Reason
from hft.core.errors import HftError
from hft.services.attest.report import Attested, attest
from hft.services.paper import changes, session
from hft.services.paper.changes import Change
from hft.services.paper.dead_man import DeadMan
from hft.services.paper.session import World
from hft.services.stages import Latencies


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    return House(tmp_path_factory.mktemp("attest"))


def driven(name: str, house: House) -> Attested:
    (control,) = [one for one in CONTROLS if one.name == name]
    (found,) = attest([control], lambda given: house)
    return found


@pytest.mark.parametrize("name", [one.name for one in CONTROLS])
def test_a_control_of_a_session_passes_with_evidence_of_both_sides(name: str, house: House) -> None:
    found = driven(name, house)
    assert found.ok, found.evidence
    assert {step.wanted == Reason.OK for step in found.seen} == {True, False}


class Unread(House):
    """A desk whose sessions write no audit row."""

    def world(self, plan: Any, job: Any, world: World) -> World:
        return replace(super().world(plan, job, world), audit=None)


class Trusting(House):
    """A desk whose sessions take limits that nobody signed."""

    def world(self, plan: Any, job: Any, world: World) -> World:
        found = super().world(plan, job, world)

        def limits(path: str) -> Change:
            try:
                return found.limits(path)
            except HftError:
                self.signed(Path(path).name, Path(path).read_text(), attest_pack.RISK)
                return found.limits(path)

        return replace(found, limits=limits)


def resets_without_a_word(patch: pytest.MonkeyPatch) -> None:
    real = changes.change_of
    patch.setattr(
        session, "change_of", lambda control: real(replace(control, cause=control.cause or "-"))
    )


def counts_nothing(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Latencies, "left", lambda self, took_ns, commands: None)


def waits_for_nobody(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(DeadMan, "due", lambda self, now_ns: None)


def hears_no_heartbeat(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(DeadMan, "sign", begins_once)


def begins_once(self: DeadMan, now_ns: int) -> None:
    self._last_ns = self._last_ns or now_ns


@pytest.mark.parametrize(
    ("name", "made", "says"),
    [
        ("reset by a person, with a cause", Unread, "its audit row: , not the feed was read"),
        ("limits signed, changed with audit", Unread, "audit rows: 0, not 1 of narrow.yaml"),
        ("limits signed, changed with audit", Trusting, "nobody signed: OK, not refused"),
    ],
)
def test_a_desk_that_lacks_a_control_is_found(
    name: str, made: Callable[[Path], House], says: str, tmp_path: Path
) -> None:
    found = driven(name, made(tmp_path))
    assert not found.ok and says in found.evidence


@pytest.mark.parametrize(
    ("name", "breaks", "says"),
    [
        ("reset by a person, with a cause", resets_without_a_word, "cause: OK, not refused"),
        ("heartbeat of a client", waits_for_nobody, "a silence of: never, not 1.0 s"),
        ("heartbeat of a client", hears_no_heartbeat, "s, not 1.0 s"),
        ("stage latency", counts_nothing, "they leave: all of 0, not all of "),
    ],
)
def test_a_session_that_lacks_a_control_is_found(
    name: str,
    breaks: Callable[[pytest.MonkeyPatch], None],
    says: str,
    house: House,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    breaks(monkeypatch)
    found = driven(name, house)
    assert not found.ok and says in found.evidence

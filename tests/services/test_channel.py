"""The intent channel: what is accepted is decided or told that it is too old, and nothing else."""

import asyncio

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hft.core.codes import Reason
from hft.services.channel import Envelope, LocalIntentChannel, QueueFull

pytestmark = pytest.mark.nojit


class Clock:
    def __init__(self) -> None:
        self.ns = 1_000_000_000

    def __call__(self) -> int:
        return self.ns


def payloads(envelopes: list[Envelope]) -> list[object]:
    return [payload for one in envelopes for payload in one.payloads]


def test_a_full_channel_refuses_and_takes_again_once_there_is_room() -> None:
    channel = LocalIntentChannel(Clock(), capacity=2)
    channel.submit_nowait("a")
    channel.submit_nowait("b")
    with pytest.raises(QueueFull, match="holds 2 already") as refused:
        channel.submit_nowait("c")
    assert refused.value.reason is Reason.CHANNEL_FULL and channel.refused == 1
    assert payloads(channel.take(1)) == ["a"]
    channel.submit_nowait("c")
    assert payloads(channel.take(9)) == ["b", "c"]


def test_what_waited_too_long_is_answered_and_kept_as_a_dead_letter_but_a_cancel_goes_on() -> None:
    clock, heard = Clock(), []
    channel = LocalIntentChannel(clock, ttl_ns=500)
    channel.submit_nowait("old", answered=lambda reason, _: heard.append(reason))
    channel.submit_nowait("cancel", ages=False)
    clock.ns += 500
    channel.submit_nowait("young")
    assert payloads(channel.take(1)) == ["old"], "at the limit it is not too old"
    channel.submit_nowait("old too", answered=lambda reason, _: heard.append(reason))
    clock.ns += 501
    channel.submit_nowait("new")
    assert payloads(channel.take(9)) == ["cancel", "new"]
    assert heard == [Reason.CHANNEL_EXPIRED]
    assert list(channel.dead) == ["young", "old too"] and channel.expired == 2


def test_a_ttl_of_zero_lets_nothing_grow_old() -> None:
    clock = Clock()
    channel = LocalIntentChannel(clock, ttl_ns=0)
    channel.submit_nowait("a")
    clock.ns += 10**18
    assert payloads(channel.take(1)) == ["a"]


def test_only_the_newest_dead_letters_are_kept() -> None:
    clock = Clock()
    channel = LocalIntentChannel(clock, ttl_ns=1, dead_letters=2)
    for number in range(5):
        channel.submit_nowait(number)
    clock.ns += 2
    assert channel.take(9) == [] and channel.expired == 5
    assert list(channel.dead) == [3, 4]


def test_a_receiver_that_waits_gets_what_is_submitted_and_passes_over_what_expired() -> None:
    async def scenario() -> list[str]:
        clock = Clock()
        channel = LocalIntentChannel(clock, ttl_ns=10)
        waiting = asyncio.create_task(channel.receive(8))
        await asyncio.sleep(0)
        channel.submit_nowait("old")
        clock.ns += 11
        await asyncio.sleep(0)
        assert not waiting.done()
        channel.submit_nowait("new")
        return payloads(await waiting)

    assert asyncio.run(scenario()) == ["new"]


def test_join_waits_for_the_last_decision() -> None:
    async def scenario() -> None:
        channel = LocalIntentChannel(Clock())
        channel.submit_nowait("a")
        channel.submit_nowait("b")
        joined = asyncio.create_task(channel.join())
        channel.take(2)
        channel.done()
        await asyncio.sleep(0)
        assert not joined.done()
        channel.done()
        await joined
        with pytest.raises(ValueError, match="1 intents"):
            channel.done()

    asyncio.run(scenario())


@given(st.lists(st.tuples(st.sampled_from("stw"), st.booleans(), st.integers(0, 8)), max_size=60))
def test_every_accepted_intent_is_handed_out_once_in_order_or_expired(steps) -> None:
    clock, expired = Clock(), []
    channel = LocalIntentChannel(clock, capacity=5, ttl_ns=20)
    accepted, handed, number = [], [], 0
    for what, ages, amount in steps:
        if what == "s":
            number += 1
            try:
                channel.submit_nowait(
                    number, ages=ages, answered=lambda _, __, n=number: expired.append(n)
                )
                accepted.append(number)
            except QueueFull:
                assert len(channel) == 5
        elif what == "t":
            taken = payloads(channel.take(amount))
            channel.done(len(taken))
            handed += taken
        else:
            clock.ns += amount * 5
    while len(channel):
        handed += payloads(channel.take(9))
    assert sorted(handed + expired) == accepted and handed == sorted(handed)


def test_many_at_once_take_the_room_there_is_and_the_rest_is_told_by_their_number() -> None:
    channel = LocalIntentChannel(Clock(), capacity=3)
    channel.submit_nowait("a")
    assert channel.submit_many(["b", "c", "d"], lambda _: True) == 2
    assert channel.submit_many(["d"], lambda _: True) == 0 and channel.refused == 1
    assert payloads(channel.take(9)) == ["a", "b", "c"]
    channel.done(3)
    asyncio.run(channel.join())


def test_many_that_grew_old_are_told_by_their_place_and_those_that_do_not_age_go_on() -> None:
    clock, heard = Clock(), []
    channel = LocalIntentChannel(clock, ttl_ns=10)
    channel.submit_many([0, 1, 2, 3, 4, 5], lambda number: number % 2 == 0, heard.append)
    assert payloads(channel.take(1)) == [0]
    clock.ns += 11
    left = channel.take(9)
    assert payloads(left) == [1, 3, 5] and [one.place for one in left] == [1, 3, 5]
    told = np.concatenate(heard)
    assert (
        told["place"].tolist() == [2, 4] and channel.expired == 2 and list(channel.dead) == [2, 4]
    )
    assert set(told["reason"].tolist()) == {Reason.CHANNEL_EXPIRED.value}
    channel.done(4)
    asyncio.run(channel.join())


def test_who_brought_many_waits_for_room_and_goes_on_when_some_were_taken() -> None:
    async def scenario() -> None:
        channel = LocalIntentChannel(Clock(), capacity=2)
        channel.submit_many(["a", "b"], lambda _: True)
        waiting = asyncio.create_task(channel.room())
        await asyncio.sleep(0)
        assert not waiting.done()
        channel.take(1)
        await waiting
        assert channel.submit_many(["c", "d"], lambda _: True) == 1

    asyncio.run(scenario())

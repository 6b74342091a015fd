"""The seeded loop: one seed one order, virtual time at once, and a life that is cut stays cut."""

import asyncio

import pytest

from tests.simulation.loop import SeededLoop, Stuck

pytestmark = pytest.mark.nojit


def order_of(seed: int) -> list[str]:
    seen: list[str] = []

    async def worker(name: str) -> None:
        for number in range(4):
            seen.append(f"{name}{number}")
            await asyncio.sleep(0)

    async def main() -> None:
        await asyncio.gather(*(worker(name) for name in "abc"))

    SeededLoop(seed).run_until_complete(main())
    return seen


def test_a_seed_gives_one_order_and_other_seeds_give_others() -> None:
    assert order_of(3) == order_of(3)
    assert len({tuple(order_of(seed)) for seed in range(10)}) > 5
    for seed in range(10):
        assert [one for one in order_of(seed) if one[0] == "a"] == ["a0", "a1", "a2", "a3"]


def test_time_is_virtual_and_passes_to_the_next_timer() -> None:
    loop = SeededLoop(0)

    async def main() -> list[float]:
        times = []
        for seconds in (1000.0, 0.5):
            await asyncio.sleep(seconds)
            times.append(loop.time())
        return times

    assert loop.run_until_complete(main()) == [1000.0, 1000.5]


def test_a_time_out_works_as_on_any_loop() -> None:
    async def main() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.Event().wait(), 2.0)

    SeededLoop(1).run_until_complete(main())


def test_a_life_that_is_cut_runs_nothing_more_not_even_its_finally() -> None:
    loop, seen = SeededLoop(2), []

    async def life() -> None:
        try:
            while True:
                seen.append("beat")
                await asyncio.sleep(1)
        finally:
            seen.append("finally")

    async def main() -> None:
        loop.in_life(1, life())
        await asyncio.sleep(3.5)
        loop.cut(1)
        await asyncio.sleep(10)

    loop.run_until_complete(main())
    assert seen == ["beat"] * 4


def test_waiting_for_what_never_comes_is_said() -> None:
    async def main() -> None:
        await asyncio.Event().wait()

    with pytest.raises(Stuck, match="nothing is left to run"):
        SeededLoop(0).run_until_complete(main())

"""What submitters do with their answers is their own."""

import asyncio
from typing import Any

import numpy as np

from hft.core.codes import Reason
from hft.services import answers


def test_a_submitter_that_raises_is_said_and_the_next_one_hears() -> None:
    said: list[Any] = []
    heard: list[list[int]] = []

    def breaks(_: np.ndarray) -> None:
        raise ValueError("not mine")

    async def both() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: said.append(context))
        answers.tell(breaks, answers.blank(1, Reason.POLICY_HALT), 0)
        answers.tell(
            lambda rows: heard.append(rows["place"].tolist()), answers.blank(2, Reason.OK), 3
        )

    asyncio.run(both())
    assert [str(one["exception"]) for one in said] == ["not mine"]
    assert heard == [[3, 4]]

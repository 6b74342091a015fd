"""When everything must be in the database: a while after each close of a market, with retries."""

from collections.abc import Iterable

NS = 1_000_000_000
BACKOFF_S = (1, 30)


def backoff_s(tries: int) -> int:
    """How long to wait after so many failures."""
    first, most = BACKOFF_S
    return min(first << (2 * tries), most)


class FlushSchedule:
    """Which close is owed a flush. Times are ns; whoever asks brings the clock."""

    def __init__(self, closes_ns: Iterable[int], after_s: int = 300, retries: int = 3) -> None:
        self._closes = sorted(closes_ns)
        self._after_ns, self._retries = after_s * NS, retries
        self._tries = 0
        self._not_before_ns = 0
        self.given_up: list[int] = []  # closes whose flush failed every time

    @property
    def is_over(self) -> bool:
        """Is no close owed a flush any more?"""
        return not self._closes

    @property
    def has_failed(self) -> bool:
        """Is a close tried again?"""
        return self._tries > 0

    def due(self, now_ns: int) -> int | None:
        """The close whose flush is due, oldest first; None where there is none."""
        if not self._closes or now_ns < self._not_before_ns:
            return None
        close = self._closes[0]
        return close if now_ns >= close + self._after_ns else None

    def done(self) -> None:
        """The flush that was due has everything in the database."""
        self._closes.pop(0)
        self._tries = self._not_before_ns = 0

    def failed(self, now_ns: int) -> None:
        """It did not: try again after a while, a few times."""
        self._tries += 1
        if self._tries >= self._retries:
            self.given_up.append(self._closes[0])
            self.done()
            return
        self._not_before_ns = now_ns + backoff_s(self._tries) * NS

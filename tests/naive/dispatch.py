"""The queue of commands to the venue: so many places, the last sixteenth kept for getting out."""


class NaiveDispatch:
    """Commands on their way, each with its arrival; a full queue refuses."""

    def __init__(self, places: int, latency_ns: int) -> None:
        self.places, self.latency_ns = places, latency_ns
        self.kept = max(1, places // 16)
        self.arrivals: list[int] = []

    def send(self, now: int, reduces: bool) -> bool:
        """Is there a place? What arrives at `now` has left the queue."""
        self.arrivals = [ts for ts in self.arrivals if ts > now]
        if len(self.arrivals) >= self.places - (0 if reduces else self.kept):
            return False
        self.arrivals.append(now + self.latency_ns)
        return True

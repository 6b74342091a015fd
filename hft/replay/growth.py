"""A larger ring for the venue's answers, made between two steps of the engine.

One order may be filled at more levels than there were ever orders, so no size that is set
beforehand is enough. What happens does not depend on the size, and no digest does.
"""

import numpy as np

from hft.core.arena import Arena
from hft.replay.build import RECORDS, Session


def grow(session: Session) -> None:
    """Twice the room for answers on their way, and for the steps they make. Mutates: session."""
    engine = session.engine
    resized(session, 2 * (len(engine.venue.responses) - 1))


def resized(session: Session, size: int) -> None:
    """Room for `size` answers, a power of two; those on their way stay. Mutates: session."""
    engine = session.engine
    venue, queue = engine.venue, engine.venue.queues[1]
    old = venue.responses
    more = size - (len(old) - 1)
    ring = np.zeros(size + 1, old.dtype)
    places = np.arange(queue["first"], queue["last"])
    ring[places & (size - 1)] = old[places & queue["mask"]]
    queue["mask"], queue["room"] = size - 1, size
    steps = engine.steps
    if engine.clock[0]["record"] == RECORDS["full"]:
        steps = np.concatenate([steps, np.zeros(more, steps.dtype)])
    session.engine = engine._replace(venue=venue._replace(responses=ring), steps=steps)
    session.arena = Arena(session.engine)

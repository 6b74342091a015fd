"""Orders that end by themselves at the venue: when their time has come or the session closes."""

from hft.core.codes import Tif
from hft.core.jit import kernel, seldom
from hft.venue.answers import expire
from hft.venue.state import FOREVER, VenueState, unlink

_GTD = Tif.GTD.value
_DAY = Tif.DAY.value


@kernel
def session_closed(venue: VenueState, instrument_idx: int, ts: int) -> None:
    """DAY orders end when the session closes. Mutates: venue."""
    seldom()
    for side in range(2):
        slot = venue.lists[2 * instrument_idx + side]
        while slot >= 0:
            row = venue.resting[slot]
            after = row["next_slot"]
            if row["tif"] == _DAY:
                order_id = row["order_id"]
                unlink(venue, slot)
                expire(venue, slot, order_id, ts)
            slot = after


@kernel
def expire_due(venue: VenueState, ts: int) -> None:
    """End the GTD orders whose time has come and find the next. Mutates: venue."""
    seldom()
    soonest = FOREVER
    for at in range(len(venue.lists)):
        slot = venue.lists[at]
        while slot >= 0:
            row = venue.resting[slot]
            after = row["next_slot"]
            if row["tif"] == _GTD:
                if row["expire_ts_ns"] <= ts:
                    order_id = row["order_id"]
                    unlink(venue, slot)
                    expire(venue, slot, order_id, ts)
                else:
                    soonest = min(soonest, row["expire_ts_ns"])
            slot = after
    venue.head[0]["next_expiry_ns"] = soonest

"""Step 1 and 7: has this key been asked before, and what was the answer.

One 64-byte row a key, found through an index of open addresses. Only decided rows are in the
recency list, so that an entry whose outcome is open can neither expire nor be evicted. Time is
event time.
"""

from typing import Any

from hft.core.codes import DedupState, Reason
from hft.core.digest import as_int, row_word
from hft.core.jit import kernel, seldom
from hft.gateway import index, tables
from hft.gateway.rows import CANCELS_MAX, Row

RESERVED_NOW = 0
REPLAYED = -1
_NOT_LEADER = Reason.NOT_LEADER.value
_STATE_BITS = 3
_REASON_BITS = 1023
_EVICTIONS_AHEAD = 8


@kernel(inline=True)
def payload_hash(intent: Row) -> int:
    """The body of an intent as one word: who, symbol, type, side, price, qty, target."""
    who = (intent["account_idx"] << 40) + (intent["strategy_idx"] << 20) + intent["instrument_idx"]
    return as_int(
        row_word(
            intent["target_id"],
            who,
            intent["intent_type"],
            intent["side"],
            intent["price"],
            intent["qty"],
        )
    )


@kernel
def outcome_of(state: int, reason: int, cmd_id: int) -> int:
    return state + reason * 4 + cmd_id * 4096


@kernel
def state_of(outcome: int) -> int:
    return outcome & _STATE_BITS


@kernel
def reason_of(outcome: int) -> int:
    return (outcome >> 2) & _REASON_BITS


@kernel
def cmd_of(outcome: int) -> int:
    return outcome >> 12


@kernel(inline=True)
def find(gw: Any, key_hi: int, key_lo: int) -> int:
    """The row of a key, or -1."""
    rows, words = tables.dedup(gw), tables.dedup_index(gw)
    at = index.seek(words, key_lo, index.home(words, key_lo))
    while at >= 0:
        found = index.row_of(words[at])
        if rows[found]["key_lo"] == key_lo and rows[found]["key_hi"] == key_hi:
            return found
        at = index.seek(words, key_lo, (at + 1) & (len(words) - 1))
    return -1


@kernel(inline=True)
def list_out(gw: Any, row_idx: int) -> None:
    """Take a decided row out of the recency list."""
    head, rows = tables.head(gw)[0], tables.dedup(gw)
    older, newer = rows[row_idx]["older"], rows[row_idx]["newer"]
    if newer >= 0:
        rows[newer]["older"] = older
    else:
        head["lru_recent"] = older
    if older >= 0:
        rows[older]["newer"] = newer
    else:
        head["lru_oldest"] = newer


@kernel(inline=True)
def list_in(gw: Any, row_idx: int) -> None:
    """Put a decided row at the recent end."""
    head, rows = tables.head(gw)[0], tables.dedup(gw)
    recent = head["lru_recent"]
    rows[row_idx]["older"] = recent
    rows[row_idx]["newer"] = -1
    if recent >= 0:
        rows[recent]["newer"] = row_idx
    else:
        head["lru_oldest"] = row_idx
    head["lru_recent"] = row_idx


@kernel(inline=True)
def warm(gw: Any, key_lo: int) -> None:
    """Fetch the place of a key that will be asked soon; a million keys are in no cache."""
    tables.warm_key(gw, index.home(tables.dedup_index(gw), key_lo))


@kernel(inline=True)
def warm_next(gw: Any, row_idx: int) -> None:
    """Fetch the place of a row likely evicted a few intents from now: rows age in order."""
    rows = tables.dedup(gw)
    ahead = row_idx + _EVICTIONS_AHEAD
    if ahead < len(rows):
        warm(gw, rows[ahead]["key_lo"])


@kernel
def take_row(gw: Any) -> int:
    """An unused row, or the least recently used decided one. Returns: -1 when all are open."""
    head, rows = tables.head(gw)[0], tables.dedup(gw)
    count = head["dedup_count"]
    if count < len(rows):
        head["dedup_count"] = count + 1
        return count
    row_idx = head["lru_oldest"]
    if row_idx < 0:
        return -1
    list_out(gw, row_idx)
    warm_next(gw, row_idx)
    index.remove(tables.dedup_index(gw), rows[row_idx]["key_lo"], row_idx)
    return row_idx


@kernel(inline=True)
def insert(gw: Any, row_idx: int, key_hi: int, key_lo: int) -> None:
    """Give a row its key and enter it in the index."""
    row = tables.dedup(gw)[row_idx]
    row["key_hi"] = key_hi
    row["key_lo"] = key_lo
    index.add(tables.dedup_index(gw), key_lo, row_idx)


@kernel(inline=True)
def check_or_reserve(gw: Any, key_hi: int, key_lo: int, payload: int, now_ns: int) -> int:
    """Reserve an unknown key, or say what is known of it.

    Mutates: head["dedup_row"] names the row (-1: no key).
    Returns: RESERVED_NOW, REPLAYED (a stored decision) or a 1xx `Reason`.
    """
    head, rows = tables.head(gw)[0], tables.dedup(gw)
    head["dedup_row"] = -1
    if key_hi == 0 and key_lo == 0:
        return RESERVED_NOW
    row_idx = find(gw, key_hi, key_lo)
    if row_idx >= 0:
        row = rows[row_idx]
        state = state_of(row["outcome"])
        decided = state == DedupState.APPROVED.value or state == DedupState.REJECTED.value
        ttl_ns = tables.config(gw)[0]["dedup_ttl_ns"]
        stale = decided and (
            (ttl_ns > 0 and now_ns - row["ts_ns"] > ttl_ns)
            or (reason_of(row["outcome"]) == _NOT_LEADER and head["leader"] != 0)
        )
        if not stale:
            return known(gw, row_idx, state, payload)
        list_out(gw, row_idx)
    else:
        row_idx = take_row(gw)
        if row_idx < 0:
            return Reason.DEDUP_WINDOW_FULL.value
        insert(gw, row_idx, key_hi, key_lo)
    row = rows[row_idx]
    row["payload"] = payload
    row["outcome"] = 0
    row["ts_ns"] = now_ns
    head["dedup_row"] = row_idx
    return RESERVED_NOW


@kernel
def known(gw: Any, row_idx: int, state: int, payload: int) -> int:
    """What a second intent with a known key is told; another body is refused first."""
    seldom()
    if tables.dedup(gw)[row_idx]["payload"] != payload:
        return Reason.DEDUP_KEY_REUSED.value
    if state == DedupState.RESERVED.value:
        return Reason.DEDUP_IN_FLIGHT.value
    if state == DedupState.UNKNOWN.value:
        return Reason.DEDUP_OUTCOME_UNKNOWN.value
    list_out(gw, row_idx)
    list_in(gw, row_idx)
    tables.head(gw)[0]["dedup_row"] = row_idx
    return REPLAYED


@kernel(inline=True)
def commit(gw: Any, row_idx: int, state: int, reason: int, cmd_id: int, now_ns: int) -> None:
    """Decide an entry (APPROVED, REJECTED) or open it again (UNKNOWN); -1 is a no-op."""
    if row_idx < 0:
        return
    row = tables.dedup(gw)[row_idx]
    before = state_of(row["outcome"])
    if before == DedupState.APPROVED.value or before == DedupState.REJECTED.value:
        list_out(gw, row_idx)
    row["outcome"] = outcome_of(state, reason, cmd_id)
    row["ts_ns"] = now_ns
    if state == DedupState.APPROVED.value or state == DedupState.REJECTED.value:
        list_in(gw, row_idx)


@kernel
def commit_key(gw: Any, hold: Row, state: int, reason: int, cmd_id: int, now_ns: int) -> None:
    """Commit by the key kept beside an order; one that was evicted meanwhile is inserted again."""
    key_hi, key_lo = hold["key_hi"], hold["key_lo"]
    if key_hi == 0 and key_lo == 0:
        return
    row_idx = find(gw, key_hi, key_lo)
    if row_idx < 0:
        row_idx = take_row(gw)
        if row_idx < 0:
            return
        insert(gw, row_idx, key_hi, key_lo)
        tables.dedup(gw)[row_idx]["outcome"] = 0
        tables.dedup(gw)[row_idx]["payload"] = hold["payload"]
    commit(gw, row_idx, state, reason, cmd_id, now_ns)


@kernel
def command_of(gw: Any, hold: Row, otherwise: int) -> int:
    """The command that the key beside an order was approved for, while that is remembered."""
    row_idx = find(gw, hold["key_hi"], hold["key_lo"])
    if row_idx < 0 or (hold["key_hi"] == 0 and hold["key_lo"] == 0):
        return otherwise
    cmd_id = cmd_of(tables.dedup(gw)[row_idx]["outcome"])
    return cmd_id if cmd_id != 0 else otherwise


@kernel
def reject_command(gw: Any, cmd_id: int, reason: int, now_ns: int) -> None:
    """Refuse the key that was approved for a command which never left; one without a key has none.

    It is among the newest: no more is decided between the two than the cancels of own orders.
    """
    rows = tables.dedup(gw)
    row_idx = tables.head(gw)[0]["lru_recent"]
    for _ in range(CANCELS_MAX + 1):
        if row_idx < 0:
            return
        if cmd_of(rows[row_idx]["outcome"]) == cmd_id:
            commit(gw, row_idx, DedupState.REJECTED.value, reason, 0, now_ns)
            return
        row_idx = rows[row_idx]["older"]

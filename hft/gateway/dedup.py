"""Step 1 and 7: has this key been asked before, and what was the answer.

Chained hashing, one 64-byte row a key. Only decided rows are in the recency list, so that an entry
whose outcome is open can neither expire nor be evicted. Time is event time.
"""

from typing import Any

from hft.core.codes import DedupState, Reason
from hft.core.digest import as_int, row_word
from hft.core.jit import kernel
from hft.gateway import tables
from hft.gateway.rows import Row

RESERVED_NOW = 0
REPLAYED = -1
_NOT_LEADER = Reason.NOT_LEADER.value
_STATE_BITS = 3
_REASON_BITS = 1023
_EVICTIONS_AHEAD = 8


@kernel
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


@kernel
def find(gw: Any, key_hi: int, key_lo: int) -> int:
    """The row of a key, or -1."""
    rows, buckets = tables.dedup(gw), tables.buckets(gw)
    index = buckets[key_lo & (len(buckets) - 1)] - 1
    while index >= 0:
        row = rows[index]
        if row["key_lo"] == key_lo and row["key_hi"] == key_hi:
            return index
        index = row["chain_next"] - 1
    return -1


@kernel
def list_out(gw: Any, index: int) -> None:
    """Take a decided row out of the recency list."""
    head, rows = tables.head(gw)[0], tables.dedup(gw)
    older, newer = rows[index]["older"], rows[index]["newer"]
    if newer >= 0:
        rows[newer]["older"] = older
    else:
        head["lru_recent"] = older
    if older >= 0:
        rows[older]["newer"] = newer
    else:
        head["lru_oldest"] = newer


@kernel
def list_in(gw: Any, index: int) -> None:
    """Put a decided row at the recent end."""
    head, rows = tables.head(gw)[0], tables.dedup(gw)
    recent = head["lru_recent"]
    rows[index]["older"] = recent
    rows[index]["newer"] = -1
    if recent >= 0:
        rows[recent]["newer"] = index
    else:
        head["lru_oldest"] = index
    head["lru_recent"] = index


@kernel
def warm(gw: Any, key_lo: int) -> None:
    """Fetch the bucket of a key that will be asked soon; a million keys are in no cache."""
    tables.warm_bucket(gw, key_lo & (len(tables.buckets(gw)) - 1))


@kernel
def warm_next(gw: Any, index: int) -> None:
    """Fetch the bucket of a row likely evicted a few intents from now: rows age in order."""
    rows = tables.dedup(gw)
    ahead = index + _EVICTIONS_AHEAD
    if ahead < len(rows):
        warm(gw, rows[ahead]["key_lo"])


@kernel
def take_row(gw: Any) -> int:
    """An unused row, or the least recently used decided one. Returns: -1 when all are open."""
    head, rows, buckets = tables.head(gw)[0], tables.dedup(gw), tables.buckets(gw)
    count = head["dedup_count"]
    if count < len(rows):
        head["dedup_count"] = count + 1
        return count
    index = head["lru_oldest"]
    if index < 0:
        return -1
    list_out(gw, index)
    warm_next(gw, index)
    bucket = rows[index]["key_lo"] & (len(buckets) - 1)
    after = rows[index]["chain_next"]
    at = buckets[bucket] - 1
    if at == index:
        buckets[bucket] = after
        return index
    while rows[at]["chain_next"] - 1 != index:
        at = rows[at]["chain_next"] - 1
    rows[at]["chain_next"] = after
    return index


@kernel
def check_or_reserve(gw: Any, key_hi: int, key_lo: int, payload: int, now_ns: int) -> int:
    """Reserve an unknown key, or say what is known of it.

    Mutates: head["dedup_row"] names the row (-1: no key).
    Returns: RESERVED_NOW, REPLAYED (a stored decision) or a 1xx `Reason`.
    """
    head, rows = tables.head(gw)[0], tables.dedup(gw)
    head["dedup_row"] = -1
    if key_hi == 0 and key_lo == 0:
        return RESERVED_NOW
    index = find(gw, key_hi, key_lo)
    if index >= 0:
        row = rows[index]
        state = state_of(row["outcome"])
        decided = state == DedupState.APPROVED.value or state == DedupState.REJECTED.value
        ttl_ns = tables.config(gw)[0]["dedup_ttl_ns"]
        stale = decided and (
            (ttl_ns > 0 and now_ns - row["ts_ns"] > ttl_ns)
            or (reason_of(row["outcome"]) == _NOT_LEADER and head["leader"] != 0)
        )
        if not stale:
            return known(gw, index, state, payload)
        list_out(gw, index)
    else:
        index = take_row(gw)
        if index < 0:
            return Reason.DEDUP_WINDOW_FULL.value
        insert(gw, index, key_hi, key_lo)
    row = rows[index]
    row["payload"] = payload
    row["outcome"] = 0
    row["ts_ns"] = now_ns
    head["dedup_row"] = index
    return RESERVED_NOW


@kernel
def insert(gw: Any, index: int, key_hi: int, key_lo: int) -> None:
    """Hang a row into the chain of its key."""
    row, buckets = tables.dedup(gw)[index], tables.buckets(gw)
    bucket = key_lo & (len(buckets) - 1)
    row["key_hi"] = key_hi
    row["key_lo"] = key_lo
    row["chain_next"] = buckets[bucket]
    buckets[bucket] = index + 1


@kernel
def known(gw: Any, index: int, state: int, payload: int) -> int:
    """What a second intent with a known key is told; another body is refused first."""
    if tables.dedup(gw)[index]["payload"] != payload:
        return Reason.DEDUP_KEY_REUSED.value
    if state == DedupState.RESERVED.value:
        return Reason.DEDUP_IN_FLIGHT.value
    if state == DedupState.UNKNOWN.value:
        return Reason.DEDUP_OUTCOME_UNKNOWN.value
    list_out(gw, index)
    list_in(gw, index)
    tables.head(gw)[0]["dedup_row"] = index
    return REPLAYED


@kernel
def commit(gw: Any, index: int, state: int, reason: int, cmd_id: int, now_ns: int) -> None:
    """Decide an entry (APPROVED, REJECTED) or open it again (UNKNOWN); -1 is a no-op."""
    if index < 0:
        return
    row = tables.dedup(gw)[index]
    before = state_of(row["outcome"])
    if before == DedupState.APPROVED.value or before == DedupState.REJECTED.value:
        list_out(gw, index)
    row["outcome"] = outcome_of(state, reason, cmd_id)
    row["ts_ns"] = now_ns
    if state == DedupState.APPROVED.value or state == DedupState.REJECTED.value:
        list_in(gw, index)


@kernel
def commit_key(gw: Any, hold: Row, state: int, reason: int, cmd_id: int, now_ns: int) -> None:
    """Commit by the key kept beside an order; one that was evicted meanwhile is inserted again."""
    key_hi, key_lo = hold["key_hi"], hold["key_lo"]
    if key_hi == 0 and key_lo == 0:
        return
    index = find(gw, key_hi, key_lo)
    if index < 0:
        index = take_row(gw)
        if index < 0:
            return
        insert(gw, index, key_hi, key_lo)
        tables.dedup(gw)[index]["outcome"] = 0
        tables.dedup(gw)[index]["payload"] = hold["payload"]
    commit(gw, index, state, reason, cmd_id, now_ns)

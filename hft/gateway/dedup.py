"""Step 1 and 7: has this key been asked before, and what was the answer.

Chained hashing, one 64-byte row a key. Only decided rows are in the recency list, so that an entry
whose outcome is open can neither expire nor be evicted. Time is event time.
"""

import numpy as np

from hft.core.codes import DedupState, Reason
from hft.core.digest import as_int, row_word
from hft.core.jit import kernel

RESERVED_NOW = 0
REPLAYED = -1
_NOT_LEADER = Reason.NOT_LEADER.value
_STATE_BITS = 3
_REASON_BITS = 1023


@kernel
def payload_hash(intent: np.ndarray) -> int:
    """The body of an intent as one word: account, strategy, symbol, type, side, price, qty, target."""
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
def find(rows: np.ndarray, buckets: np.ndarray, mask: int, key_hi: int, key_lo: int) -> int:
    """The row of a key, or -1."""
    index = buckets[key_lo & mask] - 1
    while index >= 0:
        row = rows[index]
        if row["key_lo"] == key_lo and row["key_hi"] == key_hi:
            return index
        index = row["chain_next"] - 1
    return -1


@kernel
def list_out(head: np.ndarray, rows: np.ndarray, index: int) -> None:
    """Take a decided row out of the recency list."""
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
def list_in(head: np.ndarray, rows: np.ndarray, index: int) -> None:
    """Put a decided row at the recent end."""
    recent = head["lru_recent"]
    rows[index]["older"] = recent
    rows[index]["newer"] = -1
    if recent >= 0:
        rows[recent]["newer"] = index
    else:
        head["lru_oldest"] = index
    head["lru_recent"] = index


@kernel
def take_row(head: np.ndarray, rows: np.ndarray, buckets: np.ndarray, mask: int) -> int:
    """An unused row, or the least recently used decided one. Returns: -1 when all are open."""
    count = head["dedup_count"]
    if count < len(rows):
        head["dedup_count"] = count + 1
        return count
    index = head["lru_oldest"]
    if index < 0:
        return -1
    list_out(head, rows, index)
    bucket = rows[index]["key_lo"] & mask
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
def check_or_reserve(
    head: np.ndarray,
    config: np.ndarray,
    rows: np.ndarray,
    buckets: np.ndarray,
    key_hi: int,
    key_lo: int,
    payload: int,
    now_ns: int,
) -> int:
    """Reserve an unknown key, or say what is known of it.

    Mutates: head["dedup_row"] names the row (-1: no key).
    Returns: RESERVED_NOW, REPLAYED (a stored decision) or a 1xx `Reason`.
    """
    head["dedup_row"] = -1
    if key_hi == 0 and key_lo == 0:
        return RESERVED_NOW
    mask = config["dedup_mask"]
    index = find(rows, buckets, mask, key_hi, key_lo)
    if index >= 0:
        row = rows[index]
        state = state_of(row["outcome"])
        decided = state == DedupState.APPROVED.value or state == DedupState.REJECTED.value
        ttl_ns = config["dedup_ttl_ns"]
        stale = decided and (
            (ttl_ns > 0 and now_ns - row["ts_ns"] > ttl_ns)
            or (reason_of(row["outcome"]) == _NOT_LEADER and head["leader"] != 0)
        )
        if not stale:
            return known(head, rows, index, state, payload)
        list_out(head, rows, index)
    else:
        index = take_row(head, rows, buckets, mask)
        if index < 0:
            return Reason.DEDUP_WINDOW_FULL.value
        insert(rows, buckets, mask, index, key_hi, key_lo)
    row = rows[index]
    row["payload"] = payload
    row["outcome"] = 0
    row["ts_ns"] = now_ns
    head["dedup_row"] = index
    return RESERVED_NOW


@kernel
def insert(
    rows: np.ndarray, buckets: np.ndarray, mask: int, index: int, key_hi: int, key_lo: int
) -> None:
    """Hang a row into the chain of its key."""
    row = rows[index]
    row["key_hi"] = key_hi
    row["key_lo"] = key_lo
    row["chain_next"] = buckets[key_lo & mask]
    buckets[key_lo & mask] = index + 1


@kernel
def known(head: np.ndarray, rows: np.ndarray, index: int, state: int, payload: int) -> int:
    """What a second intent with a known key is told; another body is refused first."""
    if rows[index]["payload"] != payload:
        return Reason.DEDUP_KEY_REUSED.value
    if state == DedupState.RESERVED.value:
        return Reason.DEDUP_IN_FLIGHT.value
    if state == DedupState.UNKNOWN.value:
        return Reason.DEDUP_OUTCOME_UNKNOWN.value
    list_out(head, rows, index)
    list_in(head, rows, index)
    head["dedup_row"] = index
    return REPLAYED


@kernel
def commit(
    head: np.ndarray, rows: np.ndarray, index: int, state: int, reason: int, cmd_id: int, now_ns: int
) -> None:
    """Decide an entry (APPROVED, REJECTED) or open it again (UNKNOWN); -1 is a no-op."""
    if index < 0:
        return
    row = rows[index]
    before = state_of(row["outcome"])
    if before == DedupState.APPROVED.value or before == DedupState.REJECTED.value:
        list_out(head, rows, index)
    row["outcome"] = outcome_of(state, reason, cmd_id)
    row["ts_ns"] = now_ns
    if state == DedupState.APPROVED.value or state == DedupState.REJECTED.value:
        list_in(head, rows, index)


@kernel
def commit_key(
    head: np.ndarray,
    config: np.ndarray,
    rows: np.ndarray,
    buckets: np.ndarray,
    hold: np.ndarray,
    state: int,
    reason: int,
    cmd_id: int,
    now_ns: int,
) -> None:
    """Commit by the key kept beside an order; one that was evicted meanwhile is inserted again."""
    key_hi, key_lo = hold["key_hi"], hold["key_lo"]
    if key_hi == 0 and key_lo == 0:
        return
    mask = config["dedup_mask"]
    index = find(rows, buckets, mask, key_hi, key_lo)
    if index < 0:
        index = take_row(head, rows, buckets, mask)
        if index < 0:
            return
        insert(rows, buckets, mask, index, key_hi, key_lo)
        rows[index]["outcome"] = 0
        rows[index]["payload"] = hold["payload"]
    commit(head, rows, index, state, reason, cmd_id, now_ns)

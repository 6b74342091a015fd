"""Whether the ledger is whole: every chain, every return vector, and every head kept elsewhere.

A chain that fits in itself may still be a shorter or another one than it was; only a head that was
anchored outside (in an audit row or a promotion) can tell. It reads every file anew and writes
nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hft.core.errors import DataError
from hft.governance.ledger.union import Union, WriterChain
from hft.governance.ledger.vectors import Vectors
from hft.research.trial import EMPTY_SHA256
from hft.storage.chain import Chain
from hft.storage.chain_row import NotARow, parse

ROLLED_BACK = "LEDGER_ROLLED_BACK"
FORKED = "LEDGER_FORKED"
BROKEN = "LEDGER_BROKEN"
MISSING = "LEDGER_MISSING"
VECTORS = "LEDGER_VECTORS"
CURE = "restore it from git, or from the clone that wrote it"

Heads = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong, as a code and a sentence; `seq` is 0 where no row is meant."""

    code: str
    writer: str
    seq: int
    sentence: str

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)


def check(
    folder: Path, anchors: Heads | Iterable[Heads] = (), *, vectors: bool = True
) -> list[Problem]:
    """Everything wrong with the ledger in `folder`, by writer; empty when it is whole.

    `anchors` are heads ({writer: {seq, hash}}) kept elsewhere, one set or many; all are compared.
    """
    union = Union(folder).refresh()
    found = [problem for chain in union.chains.values() for problem in _chain(chain)]
    for writer, seq, head in _anchored(anchors):
        problem = _anchor(folder, union.chains.get(writer), writer, seq, head)
        if problem is not None:
            found.append(problem)
    if vectors:
        found += _vectors(folder, union)
    return sorted(set(found), key=lambda one: (one.writer, one.seq, one.code, one.sentence))


def _chain(chain: WriterChain) -> Iterable[Problem]:
    if chain.broken is None:
        # The reader compares hashes of bytes; the strict walk also refuses another spelling.
        damage = Chain(chain.path).verify().damage
        if damage is not None:
            yield _broken(chain, damage.line, damage.seq, damage.what)
        return
    broken = chain.broken
    if broken.forked:
        yield Problem(
            FORKED,
            chain.writer,
            broken.seq,
            f"{chain.path}: line {broken.line}: two different rows {broken.seq} of writer "
            f"{chain.writer}: two checkouts wrote under one id; keep both files, each under the "
            "checkout that wrote it",
        )
    else:
        yield _broken(chain, broken.line, broken.seq, broken.what)


def _broken(chain: WriterChain, line: int, seq: int, what: str) -> Problem:
    sentence = f"{chain.path}: line {line} (row {seq}) does not fit: {what}; {CURE}"
    return Problem(BROKEN, chain.writer, seq, sentence)


def _anchored(anchors: Heads | Iterable[Heads]) -> list[tuple[str, int, str]]:
    """Every anchored (writer, seq, hash), each once. Raises: DataError for one that is no head."""
    sets = [anchors] if isinstance(anchors, Mapping) else list(anchors)
    found: set[tuple[str, int, str]] = set()
    for heads in sets:
        for writer, head in heads.items():
            try:
                found.add((str(writer), int(head["seq"]), str(head["hash"])))
            except (KeyError, TypeError, ValueError):
                raise DataError(
                    f"an anchored ledger head of writer {writer} has no seq and hash: {head!r:.80}"
                ) from None
    return sorted(found)


def _anchor(
    folder: Path, chain: WriterChain | None, writer: str, seq: int, head: str
) -> Problem | None:
    if seq <= 0:
        return None
    if chain is None:
        sentence = (
            f"{folder}: the chain of writer {writer} is gone; row {seq} of it was anchored; {CURE}"
        )
        return Problem(MISSING, writer, seq, sentence)
    if seq <= len(chain.rows):
        there = chain.rows[seq - 1].row_hash
        if there == head:
            return None
        what = f"row {seq} has hash {there[:12]}, the anchored head says {head[:12]}"
    elif chain.broken is not None:
        return None  # what stands behind the damage is not known; the damage is reported
    else:
        what = f"it ends at row {len(chain.rows)}, its anchored head is row {seq}"
    return Problem(ROLLED_BACK, writer, seq, f"{chain.path}: {what}: rows were taken; {CURE}")


def _vectors(folder: Path, union: Union) -> Iterable[Problem]:
    wanted = {
        row.returns_sha256: (chain.writer, row.seq, row.trial_id)
        for chain in union.chains.values()
        for row in reversed(chain.rows)
        if row.returns_sha256 != EMPTY_SHA256
    }
    there = Vectors(folder / "returns").read(wanted)
    for sha in sorted(set(wanted) - set(there)):
        writer, seq, trial = wanted[sha]
        yield Problem(
            VECTORS,
            writer,
            seq,
            f"{folder / 'returns'}: the returns {sha[:12]} of trial {trial} (row {seq} of writer "
            f"{writer}) are missing or were changed; {CURE}",
        )


def anchored_heads(
    rows: Iterable[Mapping[str, Any]], promotions: Iterable[Mapping[str, Any]] = ()
) -> list[Heads]:
    """The heads kept in audit rows (`ledger_heads`) and promotions (`heads.ledger`), each once.

    Raises: DataError for a text that is no JSON object of heads.
    """
    texts = {str(row.get("ledger_heads") or "{}"): row.get("seq") for row in rows}
    found: list[Heads] = []
    for text, seq in texts.items():
        try:
            heads = parse(text.encode(errors="replace"))
        except NotARow as error:
            raise DataError(f"audit row {seq}: ledger_heads cannot be read: {error}") from None
        found.append(heads)
    for promotion in promotions:
        heads = (promotion.get("heads") or {}).get("ledger") or {}
        if not isinstance(heads, Mapping):
            raise DataError("a promotion's heads.ledger is no mapping of writers to heads")
        found.append(heads)
    return [heads for heads in found if heads]

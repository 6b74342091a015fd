"""Where evidence comes from: tapes and data that are recorded, live or synthetic, and who says so.

The header of a tape says the format it was read from; a vendor's is taken as recorded, a synthetic
one as synthetic. Own columns say nothing. What nobody can read off is declared, in a statement
under `research/registry/provenance` that names contents by their hash and is signed where a key was
given. A statement never makes recorded what its header calls synthetic.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hft.audit.keys import Keys
from hft.audit.sign import sign, signed_by, verify
from hft.core.codes import EventKind
from hft.core.errors import DataError, HftError
from hft.core.json_text import page
from hft.storage.atomic import write_atomic
from hft.storage.chain import canonical
from hft.tape.reader import Tape
from hft.tape.seal import columns_sha256

SAYS = ("recorded", "live", "synthetic")
FOLDER = "research/registry/provenance"
# How the formats of vendors' files begin; own columns can be anything.
VENDORS = ("binance", "databento", "lean", "lobster")
SYNTHETIC = ("synthetic", "synthetic-l3")


@dataclass(frozen=True)
class Statement:
    """What somebody declared of some contents; `signed_by` is empty where the signature is none."""

    says: str
    source: str
    contents: Mapping[str, str]  # name by sha256
    made_ns: int
    signed_by: str = ""


@dataclass(frozen=True)
class Origin:
    """What is known of one tape or data set: `says` is empty where nobody said anything."""

    sha256: str
    says: str = ""
    signed_by: str = ""


def declare(
    root: Path,
    contents: Mapping[str, str],
    says: str,
    source: str,
    *,
    now_ns: int,
    key: Path | None = None,
) -> Path:
    """Write a statement about contents (name by sha256), signed with the key where one is given."""
    told = {
        "schema_version": 1,
        "says": says,
        "source": source,
        "contents": dict(sorted(contents.items())),
        "made_ns": int(now_ns),
    }
    body = told | {"signature": "" if key is None else sign(_payload(told), key)}
    name = hashlib.sha256(canonical(body)).hexdigest()[:16]
    path = root / FOLDER / f"{name}.json"
    write_atomic(path, page(body))
    return path


def statements(root: Path, keys: Keys) -> list[Statement]:
    """The statements of a workspace; a signature that does not fit signs nothing.

    Raises: DataError for a file that is none.
    """
    return [_statement(path, keys) for path in sorted((root / FOLDER).glob("*.json"))]


def of_content(sha256: str, known: Iterable[Statement]) -> Origin:
    """What is declared of one content; of several statements the worst, then a signed one."""
    about = [one for one in known if sha256 in one.contents]
    if not about:
        return Origin(sha256)
    for says in ("synthetic", "recorded", "live"):
        mine = [one for one in about if one.says == says]
        if mine:
            return Origin(sha256, says, max(one.signed_by for one in mine))
    return Origin(sha256)


def of_tape(tape: Tape, known: Iterable[Statement]) -> Origin:
    """Where the market of a tape comes from; of one with signals, the tape that they were put on.

    Raises: DataError for rows that are not those of the tape they name.
    """
    sha256 = tape.sha256
    if tape.source.get("joined"):
        sha256 = str(tape.source.get("of", ""))
        if not sha256:
            return Origin(tape.sha256)
        if _without_signals(tape) != sha256:
            raise DataError(f"{tape.path}: its market is not that of the tape it names")
    read_from = str(tape.source.get("format", ""))
    declared = of_content(sha256, known)
    if read_from in SYNTHETIC or SYNTHETIC[0] in tape.instrument.notes:
        return Origin(sha256, "synthetic", declared.signed_by)
    if declared.says:
        return declared
    return Origin(sha256, "recorded" if read_from.startswith(VENDORS) else "")


def _without_signals(tape: Tape) -> str:
    """The identity of a tape without the rows of signals that were put on it."""
    columns = tape.columns()
    kept = columns.kind != EventKind.SIGNAL.value
    return columns_sha256([type(columns)(*(column[kept] for column in columns))])


def _statement(path: Path, keys: Keys) -> Statement:
    try:
        told: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        signature = str(told.pop("signature"))
        found = Statement(
            str(told["says"]), str(told["source"]), dict(told["contents"]), int(told["made_ns"])
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise DataError(f"{path}: is no statement; `hft data declare` writes one") from None
    if found.says not in SAYS:
        raise DataError(f"{path}: says: {found.says!r} is none of {', '.join(SAYS)}")
    return Statement(**{**found.__dict__, "signed_by": _signer(told, signature, keys)})


def _signer(told: Mapping[str, Any], signature: str, keys: Keys) -> str:
    """Who signed; empty for nobody, or a signature that does not fit or count."""
    if not signature:
        return ""
    try:
        name = signed_by(signature, keys).name
        return verify(_payload(told), signature, name, keys, int(told["made_ns"])).name
    except HftError:
        return ""


def _payload(told: Mapping[str, Any]) -> bytes:
    return b"hft-provenance:" + canonical(dict(told))

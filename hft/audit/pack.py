"""An evidence pack: rows, files, signatures and keys in one zip that checks itself.

The same content is always the same bytes. Rows that were not asked for stand as bare hashes, so
that the chain can be followed without telling what they say. `verify.py` in it is the text of
`pack_check`, `pack_evidence`, `pack_signers` and `ed25519`: it needs the standard library alone,
nothing of hft.
"""

import ast
import hashlib
import io
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hft.audit import ed25519, pack_check, pack_evidence, pack_signers
from hft.audit.anchors import Anchor
from hft.audit.journal import FIRST_TABLE, Journal, Row
from hft.audit.keys import Keys
from hft.audit.verify import Signed
from hft.audit.walk import walk
from hft.core.errors import DataError, GovernanceError
from hft.core.json_text import page
from hft.storage.atomic import write_atomic
from hft.storage.chain import canonical
from hft.storage.chain_row import parse

OLDEST_TIME = (1980, 1, 1, 0, 0, 0)  # the first that a zip can hold
README = """An audit pack of hft.

  python verify.py        in the folder you unpacked this into, or
  python verify.py PACK.zip

It needs Python alone. Compare the fingerprints it prints with the ones you know, and the head of
the chain in manifest.json with the newest git tag hft-audit-<seq> or promotion file you trust.
Rows that stand as bare hashes were not asked for; the chain runs through them all the same.
"""


@dataclass(frozen=True)
class Pack:
    """What was packed."""

    path: str
    sha256: str
    rows: int
    files: int
    signatures: int
    seq: int
    missing: tuple[str, ...] = ()  # what a promotion names and nobody had

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)


def pack(
    journal: Journal,
    out: Path,
    *,
    wanted: Callable[[Row], bool],
    files: Mapping[str, bytes],
    keys: Keys,
    keys_file: bytes = b"",
    signed: Sequence[Signed] = (),
    anchors: Iterable[Anchor] = (),
    missing: Sequence[str] = (),
) -> Pack:
    """Write the pack: rows that are `wanted` in full, `files` by name under `files/`.

    Raises: GovernanceError for a damaged journal, DataError when no row is wanted.
    """
    lines = journal.raw_lines()
    found = walk(lines, journal.path.name, journal.key)
    if found.findings:
        raise GovernanceError(f"{found.findings[0].sentence}; a damaged journal is not packed")
    rows, kept = _rows(lines, wanted)
    if not kept:
        raise DataError("no audit row is about what was asked for; see `hft audit show`")
    scheme = found.first["row"]["hash"] if found.first else "sha256"
    content = {
        "README.txt": README.encode(),
        "verify.py": standalone().encode(),
        "journal.jsonl": rows,
        "keys.yaml": keys_file,
        "keys.json": _json([_key(key) for key in keys]),
        "anchors.json": _json([asdict(a) for a in anchors if a.seq and not a.doubt]),
        "signatures.json": _json([_signature(n, one) for n, one in enumerate(signed)]),
        **{_payload_name(n): one.payload for n, one in enumerate(signed)},
        **{f"files/{name}": data for name, data in files.items()},
    }
    hashes = {name: hashlib.sha256(content[name]).hexdigest() for name in sorted(content)}
    head = {"seq": found.head.seq, "hash": found.head.hash}
    told = {"files": hashes, "head": head, "journal_id": found.id, "hash": scheme, "rows": kept}
    content["manifest.json"] = _json({**told, "missing": list(missing)})
    data = _zip(content)
    write_atomic(out, data)
    digest = hashlib.sha256(data).hexdigest()
    return Pack(str(out), digest, kept, len(files), len(signed), found.head.seq, tuple(missing))


def standalone() -> str:
    """The text of `verify.py`: four modules as one, without an import of hft."""
    sources = [
        Path(module.__file__ or "").read_text(encoding="utf-8")
        for module in (ed25519, pack_signers, pack_evidence, pack_check)
    ]
    imports: list[str] = []
    bodies = []
    for source in sources:
        lines = source.splitlines()
        nodes = ast.parse(source).body[1:]
        above = [node for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)]
        for node in above:
            if not (isinstance(node, ast.ImportFrom) and str(node.module).startswith("hft")):
                imports.append(ast.unparse(node))
        bodies.append("\n".join(lines[above[-1].end_lineno or 0 :]).strip())
    doc = ast.get_docstring(ast.parse(sources[-1]), clean=False)
    digest = hashlib.sha256(README.encode()).hexdigest()
    body = "\n\n\n".join(bodies).replace('README_SHA256 = ""', f'README_SHA256 = "{digest}"', 1)
    head = "\n".join(sorted(dict.fromkeys(imports)))
    return f'"""{doc}"""\n\n{head}\n\n{body}\n'


def _rows(lines: Sequence[bytes], wanted: Callable[[Row], bool]) -> tuple[bytes, int]:
    """The lines of the pack, and how many rows stand in full."""
    out, kept = [], 0
    for line in lines:
        if not line.endswith(b"\n"):
            continue
        row = parse(line[:-1])
        if row["table"] == FIRST_TABLE or _is_retirement(row):
            out.append(line)
        elif wanted(row):
            out.append(line)
            kept += 1
        else:
            stub = {name: row[name] for name in ("seq", "prev_hash", "row_hash")}
            out.append(canonical(stub) + b"\n")
    return b"".join(out), kept


def _is_retirement(row: Row) -> bool:
    """The record of retired rows is needed to follow the chain."""
    return bool(row["table"] == "control_log" and row["row"]["kind"] == "retire")


def _key(key: Any) -> dict[str, Any]:
    fields = ("name", "emails", "roles", "key", "from_ns", "until_ns", "revoked_ns")
    return {name: getattr(key, name) for name in fields}


def _payload_name(number: int) -> str:
    return f"signed/{number:03}.payload"


def _signature(number: int, one: Signed) -> dict[str, Any]:
    return {
        "place": one.place,
        "name": one.name,
        "at_ns": one.at_ns,
        "signature": one.signature,
        "payload": _payload_name(number),
        "seq": one.seq,
    }


def _json(value: Any) -> bytes:
    return page(value).encode()


def _zip(content: Mapping[str, bytes]) -> bytes:
    """The same files are the same bytes: sorted, without times, owners or compression."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(content):
            entry = zipfile.ZipInfo(name, OLDEST_TIME)
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content[name])
    return buffer.getvalue()

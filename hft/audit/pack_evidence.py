"""What the rows of a pack imply: files by hash, signatures by role, promotions by what was signed.

The manifest of a pack is signed by nobody, so that nothing is believed because it says so: every
hash in a row or in signed bytes is followed to its file, and what a row must be signed with is
asked for. Its text goes into `verify.py`, so that nothing of hft is imported here.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

from hft.audit.pack_signers import (
    Rows,
    countersigned,
    demanded_rows,
    signer_of_armour,
    used_twice,
)

HASH_ONLY = {"seq", "prev_hash", "row_hash"}
FILES_IN = {"alpha_gate_log": "details", "alpha_canary_log": "checks"}
PARTS = ("owner", "validator", "state")
NAMED_BY_PROMOTION = ("bundle", "memo", "unseen", "limits")
ROLES = ("owner", "validator", "risk", "operator")


def full_rows(text: bytes) -> Rows:
    """The rows that stand in full."""
    rows = [json.loads(line) for line in text.splitlines()]
    return [row for row in rows if set(row) != HASH_ONLY]


def check_evidence(files: dict[str, bytes], keys: list[dict[str, Any]]) -> list[str]:
    """Everything that rows and signed bytes say of files, keys and signatures, and is not so."""
    rows = full_rows(files["journal.jsonl"])
    entries = json.loads(files["signatures.json"])
    wrong = [*_manifest(files, rows), *_keys_file(files, rows, keys)]
    named, more = _named(files, rows)
    wrong += [*more, *demanded_rows(rows, keys), *used_twice(rows)]
    promotions, told = _promotions(files, rows, entries, keys)
    wrong += [*countersigned(files, rows, keys), *told, *_anchored(files, promotions)]
    wrong += _named_by_promotions(files, promotions, named)
    known = {f"files/{path}" for path in named} | set(promotions)
    for name in sorted(files):
        if name.startswith("files/") and name not in known and not name.startswith("files/runs/"):
            wrong.append(f"{name}: no row and no promotion names it")
    return wrong


def _manifest(files: dict[str, bytes], rows: Rows) -> Iterator[str]:
    """What the manifest says beside the hashes of files."""
    manifest = json.loads(files["manifest.json"])
    first = next((row for row in rows if row.get("table") == "journal"), None)
    own = {} if first is None else first["row"]
    kept = sum(row.get("table") != "journal" and not _retires(row) for row in rows)
    if manifest["journal_id"] != own.get("journal_id"):
        yield "manifest.json: journal_id: is not that of the first row"
    if manifest["hash"] != own.get("hash"):
        yield "manifest.json: hash: is not the scheme that the first row names"
    if manifest["rows"] != kept:
        yield f"manifest.json: rows: says {manifest['rows']}, {kept} stand in full"


def _retires(row: dict[str, Any]) -> bool:
    return row["table"] == "control_log" and row["row"].get("kind") == "retire"


def _keys_file(files: dict[str, bytes], rows: Rows, keys: list[dict[str, Any]]) -> Iterator[str]:
    """The keys file is one that a row knows, and says of each person what keys.json says."""
    text = files["keys.yaml"].decode("utf-8", "replace")
    digest = hashlib.sha256(files["keys.yaml"]).hexdigest()
    decided = [row for row in rows if row.get("keys_hash")]
    if decided and text.strip() and all(row["keys_hash"] != digest for row in decided):
        yield "keys.yaml: no row was decided under this file of keys"
    blocks = re.split(r"(?m)^- ", text)[1:]
    if len(blocks) != len(keys):
        yield f"keys.json: has {len(keys)} keys, keys.yaml has {len(blocks)}"
    for key in keys:
        block = next((one for one in blocks if key["key"].split()[1] in one), None)
        if block is None:
            yield f"keys.json: the key of {key['name']} is not in keys.yaml"
            continue
        for field in ("name", "roles", "from_ns", "until_ns", "revoked_ns"):
            if not _agrees(block, field, key[field]):
                yield f"keys.json: {field} of {key['name']} is not as in keys.yaml"


def _agrees(block: str, field: str, value: Any) -> bool:
    """Whether an entry of the keys file, as text, says the same."""
    if field == "roles":
        rest = block.partition("roles:")[2]
        listed = rest.partition("]")[0] if rest.lstrip().startswith("[") else _items(rest)
        return {role for role in ROLES if re.search(rf"\b{role}\b", listed)} == set(value)
    found = re.search(rf"(?m)^\s*{field.removesuffix('_ns')}:[ ]*(.*?)[ ]*(?:#.*)?$", block)
    text = found.group(1).strip("'\"") if found else "null"
    if field == "name":
        return bool(text == value or json.dumps(value).strip('"') == text)
    if value is None:
        return text in ("null", "", "~", "false")
    if text == "true":
        return bool(value == 0)
    try:
        at = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return False
    at = at if at.tzinfo else at.replace(tzinfo=timezone.utc)  # noqa: UP017 - Python 3.10 runs it
    return int(at.timestamp()) * 1_000_000_000 == value


def _items(text: str) -> str:
    """The list below a key, up to the next key."""
    return text[: found.start()] if (found := re.search(r"(?m)^\s*\w+:", text)) else text


def _named(files: dict[str, bytes], rows: Rows) -> tuple[dict[str, str], list[str]]:
    """Files that rows name by hash; those that are not here, or other ones."""
    named: dict[str, tuple[str, int]] = {}
    wrong = []
    have = {hashlib.sha256(data).hexdigest() for data in files.values()}
    for row in rows:
        own, seq = row["row"], row["seq"]
        for path, digest in _files_of(row).items():
            named[path] = (digest, seq)
        bundle = own.get("bundle_sha256")
        if row["table"] == "alpha_promotion_log" and bundle and bundle not in have:
            wrong.append(f"bundle.json: row {seq} names {bundle[:12]}, which is not here")
    for path, (digest, seq) in named.items():
        data = files.get(f"files/{path}")
        if data is None:
            wrong.append(f"files/{path}: is not here, row {seq} names it")
        elif hashlib.sha256(data).hexdigest() != digest:
            wrong.append(f"files/{path}: is not the file that row {seq} names")
    return {path: digest for path, (digest, _) in named.items()}, wrong


def _files_of(row: dict[str, Any]) -> dict[str, str]:
    try:
        given = json.loads(row["row"].get(FILES_IN.get(row["table"], ""), "") or "{}")
        return {str(path): str(digest) for path, digest in given.get("files", {}).items()}
    except (ValueError, AttributeError):
        return {}


def _promotions(
    files: dict[str, bytes],
    rows: Rows,
    entries: list[dict[str, Any]],
    keys: list[dict[str, Any]],
) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """Each promotion file as data, and where it is not what was recorded and signed."""
    recorded: dict[str, tuple[str, int]] = {}
    for row in rows:
        if row["table"] == "control_log" and row["row"].get("kind") == "promotion":
            told = json.loads(row["row"].get("evidence") or "{}")
            if "yaml_sha256" in told:
                recorded[told["file"]] = (told["yaml_sha256"], row["seq"])
    found: dict[str, dict[str, Any]] = {}
    wrong = []
    for name, data in sorted(files.items()):
        parts = name.split("/")
        if not name.endswith(".yaml") or not re.fullmatch(r"\d{8}", parts[-2] if parts[1:] else ""):
            continue
        found[name] = told = parsed(data.decode("utf-8", "replace"))
        digest, seq = recorded.pop("/".join(parts[-2:]), ("", 0))
        if hashlib.sha256(data).hexdigest() != digest:
            wrong.append(f"{name}: is not the file that row {seq} put there" if seq else
                         f"{name}: no row put it there")  # fmt: skip
        wrong += _signed(files, name, told, entries, keys)
    for file, (_, seq) in recorded.items():
        wrong.append(f"{file}: is not here, row {seq} put it there")
    wrong += _approved(rows, found)
    return found, wrong


def _approved(rows: Rows, found: dict[str, dict[str, Any]]) -> Iterator[str]:
    """The signed row of an approval says of the promotion what its file says."""
    for name, data in found.items():
        same = [
            row["row"]
            for row in rows
            if row["table"] == "alpha_promotion_log"
            and row["row"].get("approved")
            and row["row"].get("stage") != "propose"
            and row["row"].get("bundle_sha256") == data.get("hashes", {}).get("bundle")
        ]
        if not same:
            yield f"{name}: no row approves its bundle"


def _signed(
    files: dict[str, bytes],
    name: str,
    data: dict[str, Any],
    entries: list[dict[str, Any]],
    keys: list[dict[str, Any]],
) -> Iterator[str]:
    """The three signatures of a promotion: there, of this file, over what it says."""
    place = name.removeprefix("files/")
    by_part = {one["place"]: one for one in entries}
    for part in PARTS:
        entry = by_part.get(f"{place}: {part}")
        own = data.get("signatures", {}).get(part, {})
        if entry is None:
            yield f"{name}: the signature of its {part} is not in signatures.json"
            continue
        if (entry["signature"], entry["name"]) != (own.get("sig"), own.get("name")):
            yield f"{name}: the signature of its {part} is another one in signatures.json"
        payload = files.get(entry["payload"], b"")
        if not _covers(part, payload, data):
            yield f"{name}: what its {part} signed says something else"
        if part != "state" and data.get(part) != entry["name"]:
            yield f"{name}: the signature of its {part} is by {entry['name']}"
        signer = signer_of_armour(entry["signature"], keys)
        if not _may(part, data, signer["roles"] if signer else ()):
            yield f"{name}: the signature of its {part} is by somebody without the role"


def _may(part: str, data: dict[str, Any], roles: Any) -> bool:
    if part == "state":
        if data.get("canary", {}).get("state") == "rolled_back":
            return bool(roles)
        lowest = ("owner",) if data.get("self_approved") else ()
        return bool(set(roles) & {"validator", "operator", *lowest})
    return bool(roles) if part == "validator" and data.get("self_approved") else part in roles


def _covers(part: str, payload: bytes, data: dict[str, Any]) -> bool:
    """Whether signed bytes are those of this promotion."""
    if part == "owner":
        return payload == f"hft-bundle:{data.get('hashes', {}).get('bundle')}\n".encode()
    try:
        told = json.loads(payload)
    except ValueError:
        return False
    if part == "state":
        return bool(told == {key: value for key, value in data.items() if key != "signatures"})
    moving = ("weight", "enabled", "signatures", "rollback", "canary")
    kept = {key: value for key, value in data.items() if key not in moving}
    canary = {key: data.get("canary", {}).get(key) for key in ("ladder", "max_weight")}
    same = {key: value for key, value in told.items() if key not in ("canary", "rollback")} == kept
    return bool(same and told.get("canary") == canary)


def _anchored(files: dict[str, bytes], promotions: dict[str, dict[str, Any]]) -> Iterator[str]:
    """The heads in promotion files are among the anchors, and in the chain."""
    listed = {(one["seq"], one["hash"]) for one in json.loads(files["anchors.json"])}
    rows = [json.loads(line) for line in files["journal.jsonl"].splitlines()]
    hashes = {row["seq"]: row["row_hash"] for row in rows}
    first = min((seq for seq in hashes if seq > 1), default=0)
    for name, data in promotions.items():
        head = data.get("heads", {}).get("audit", {})
        seq, digest = head.get("seq"), head.get("hash")
        if (seq, digest) not in listed:
            yield f"anchors.json: lacks the head that {name} keeps, row {seq}"
        if isinstance(seq, int) and seq >= first and hashes.get(seq) != digest:
            yield f"journal.jsonl: row {seq} is not the one that {name} anchors"


def _named_by_promotions(
    files: dict[str, bytes], promotions: dict[str, dict[str, Any]], named: dict[str, str]
) -> Iterator[str]:
    """Bundle, memo, unseen rows and limits of each promotion; they are named from then on."""
    places: dict[str, list[str]] = {}
    for name, content in files.items():
        places.setdefault(hashlib.sha256(content).hexdigest(), []).append(name)
    for name, data in promotions.items():
        for what in NAMED_BY_PROMOTION:
            digest = data.get("hashes", {}).get(what)
            if not digest:
                continue
            if digest not in places:
                yield f"{name}: its {what} {digest[:12]} is not here, or was changed"
            for place in places.get(digest, ()):
                named.setdefault(place.removeprefix("files/"), digest)


def parsed(text: str) -> dict[str, Any]:
    """A promotion file as data; it has the one form in which hft writes them."""
    found: dict[str, Any] = {}
    block: dict[str, Any] | None = None
    for line in text.splitlines():
        name, sign, rest = line.partition(":")
        if not sign:
            return {}
        if line.startswith("  ") and block is not None:
            block[name.strip()] = _flow(rest.strip())[0]
            continue
        block = None
        if not rest.strip():
            found[name] = block = {}
        else:
            found[name] = _flow(rest.strip())[0]
    return found


def _flow(text: str) -> tuple[Any, str]:
    """A value at the beginning of a text, and what follows it."""
    text = text.lstrip()
    if text[:1] in ("{", "["):
        return _many(text)
    if text[:1] == '"':
        value, end = json.JSONDecoder().raw_decode(text)
        return value, text[end:]
    word = re.match(r"[^,\]}]*", text)
    assert word is not None
    return _scalar(word.group().strip()), text[word.end() :]


def _many(text: str) -> tuple[Any, str]:
    """A mapping or a list."""
    is_map = text[0] == "{"
    end, text = ("}" if is_map else "]"), text[1:].lstrip()
    items: list[Any] = []
    pairs: dict[str, Any] = {}
    while text and text[0] != end:
        if is_map:
            if text[0] == '"':
                key, at = json.JSONDecoder().raw_decode(text)
                text = text[at:]
            else:
                key, _, text = text.partition(":")
                text = f":{text}"
            value, text = _flow(text.lstrip().removeprefix(":"))
            pairs[str(key)] = value
        else:
            value, text = _flow(text)
            items.append(value)
        text = text.lstrip().removeprefix(",").lstrip()
    return (pairs if is_map else items), text[1:]


def _scalar(word: str) -> Any:
    known = {"true": True, "false": False, "null": None}
    if word in known:
        return known[word]
    if re.fullmatch(r"[-+]?\d+", word):
        return int(word)
    try:
        return float(word) if re.fullmatch(r"[-+]?[\d.]+(?:e[-+]?\d+)?", word) else word
    except ValueError:
        return word

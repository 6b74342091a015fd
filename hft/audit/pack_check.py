"""Check an audit pack: python verify.py [PACK.zip or folder]

Needs Python 3.10 or later and nothing else. It recomputes the hash of every file, the chain of
journal rows, the anchors and the SSH signatures (Ed25519), prints one line for each kind and what
is wrong, and ends with 0 when all is well, else with 2. It trusts nothing that is in the pack but
the keys: compare their fingerprints with the ones you know.
"""

import base64
import hashlib
import hmac
import json
import re
import sys
import zipfile
from pathlib import Path
from typing import Any

from hft.audit.ed25519 import BadSignature, check_armoured, fingerprint_of, public_of_line
from hft.audit.pack_evidence import check_evidence

STUB = {"seq", "prev_hash", "row_hash"}
README_SHA256 = ""  # set in a pack: of the text that it comes with


def check_readme(files: dict[str, bytes]) -> list[str]:
    """The page beside the evidence is the one that this file came with."""
    digest = hashlib.sha256(files.get("README.txt", b"")).hexdigest()
    return [] if README_SHA256 in ("", digest) else ["README.txt: is not the one of hft"]


def load(place: Path) -> dict[str, bytes]:
    """Every file of a pack by name."""
    if place.is_dir():
        paths = sorted(path for path in place.rglob("*") if path.is_file())
        return {path.relative_to(place).as_posix(): path.read_bytes() for path in paths}
    with zipfile.ZipFile(place) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def check_files(files: dict[str, bytes], manifest: dict[str, Any]) -> list[str]:
    """Files that are not the ones that were packed."""
    said = manifest["files"]
    wrong = [f"{name}: is missing" for name in sorted(set(said) - set(files))]
    wrong += [f"{name}: was added" for name in sorted(set(files) - set(said) - {"manifest.json"})]
    for name in sorted(set(said) & set(files)):
        if hashlib.sha256(files[name]).hexdigest() != said[name]:
            wrong.append(f"{name}: was changed")
    return wrong


def check_chain(text: bytes, hmac_key: bytes | None = None) -> tuple[list[str], dict[int, str]]:
    """What is wrong with the rows, and the hash of each by number."""
    wrong: list[str] = []
    hashes: dict[int, str] = {}
    before: dict[str, Any] | None = None
    for number, line in enumerate(text.splitlines(), start=1):
        try:
            row = json.loads(line)
            seq, prev, said = row["seq"], row["prev_hash"], row["row_hash"]
        except (ValueError, KeyError, TypeError):
            wrong.append(f"journal.jsonl: line {number}: is no row")
            before = None
            continue
        if set(row) != STUB:
            content = re.sub(rb',"row_hash":"[^"]*"', b"", line, count=1)
            if digest(content, hmac_key) != said:
                wrong.append(f"journal.jsonl: line {number}: row {seq} was changed")
        if before is not None and before["seq"] + 1 == seq and before["row_hash"] != prev:
            wrong.append(f"journal.jsonl: line {number}: row {seq} names another row before it")
        if before is not None and before["seq"] + 1 != seq and not retired(text, seq, prev):
            wrong.append(f"journal.jsonl: line {number}: rows before row {seq} are missing")
        hashes[seq] = said
        before = row
    return wrong, hashes


def retired(text: bytes, seq: int, prev: str) -> bool:
    """Whether a record in the chain says that the rows before `seq` were taken away."""
    wanted = f'\\"last_row_hash\\":\\"{prev}\\",\\"last_seq\\":{seq - 1}'
    return wanted.encode() in text and b'"kind":"retire"' in text


def digest(content: bytes, hmac_key: bytes | None) -> str:
    """The hash of a row's other fields."""
    if hmac_key is None:
        return hashlib.sha256(content).hexdigest()
    return hmac.new(hmac_key, content, hashlib.sha256).hexdigest()


def check_anchors(anchors: list[dict[str, Any]], hashes: dict[int, str]) -> list[str]:
    """Anchors that tell of another row."""
    wrong = []
    for anchor in anchors:
        seq, source = anchor["seq"], anchor["source"]
        if seq in hashes and hashes[seq] != anchor["hash"]:
            wrong.append(f"{source}: anchors another row {seq}")
        if hashes and seq > max(hashes):
            wrong.append(f"{source}: anchors row {seq}, which is not here")
    return wrong


def check_signatures(files: dict[str, bytes], keys: list[dict[str, Any]]) -> tuple[list[str], int]:
    """Signatures that do not fit, and how many there are."""
    wrong = []
    entries = json.loads(files["signatures.json"])
    for entry in entries:
        place, name = entry["place"], entry["name"]
        payload = files.get(entry["payload"], b"")
        try:
            public = check_armoured(payload, entry["signature"], "hft")
        except BadSignature as error:
            wrong.append(f"{place}: the signature of {name}: {error}")
            continue
        known = [key for key in keys if public_of_line(key["key"]) == public]
        if not known or known[0]["name"] != name:
            wrong.append(f"{place}: is not signed with a key of {name}")
        elif not counts(known[0], entry["at_ns"]):
            wrong.append(f"{place}: the key of {name} did not count at that time")
    return wrong, len(entries)


def check_rows(text: bytes, keys: list[dict[str, Any]]) -> tuple[list[str], int]:
    """Signed rows whose signature does not cover them, and how many are signed."""
    wrong, signed = [], 0
    for row in map(json.loads, text.splitlines()):
        signature = row["row"].get("signature") if set(row) != STUB else None
        if not signature:
            continue
        signed += 1
        place = f"journal.jsonl: row {row['seq']}"
        try:
            public = check_armoured(row_payload(row), signature, "hft")
        except BadSignature as error:
            wrong.append(f"{place}: its signature: {error}")
            continue
        known = [key for key in keys if public_of_line(key["key"]) == public]
        if not known or fingerprint_of(known[0]["key"]) != row["key_fp"]:
            wrong.append(f"{place}: is not signed with the key it names")
        elif not counts(known[0], row["ts"]):
            wrong.append(f"{place}: the key of {known[0]['name']} did not count at that time")
    return wrong, signed


def row_payload(row: dict[str, Any]) -> bytes:
    """What the signature in a row covers: table, time and own columns but `signature`."""
    own = {name: value for name, value in row["row"].items() if name != "signature"}
    covered = {"row": own, "table": row["table"], "ts": row["ts"]}
    text = json.dumps(covered, sort_keys=True, separators=(",", ":"))
    return b"hft-audit-row:" + text.encode() + b"\n"


def counts(key: dict[str, Any], at_ns: int) -> bool:
    """Whether a key counts at a moment."""
    ends = [key[name] for name in ("until_ns", "revoked_ns") if key[name] is not None]
    return key["from_ns"] <= at_ns and all(at_ns < end for end in ends)


def check(files: dict[str, bytes], hmac_key: bytes | None = None) -> tuple[list[str], list[str]]:
    """What is wrong, and what was looked at, in lines."""
    manifest = json.loads(files["manifest.json"])
    wrong = check_files(files, manifest)
    if wrong:
        return wrong, [f"files: {len(manifest['files'])}; nothing else is looked at"]
    keys = json.loads(files["keys.json"])
    anchors = json.loads(files["anchors.json"])
    if manifest["hash"] != "sha256" and hmac_key is None:
        seen = ["rows: not checked, they need the key: --hmac-key FILE or --hmac-key-base64 FILE"]
        hashes: dict[int, str] = {}
    else:
        found, hashes = check_chain(files["journal.jsonl"], hmac_key)
        wrong += found
        seen = [f"rows: {len(hashes)}, the newest is {max(hashes, default=0)}"]
        head = manifest["head"]
        if hashes.get(head["seq"]) != head["hash"]:
            wrong.append(f"journal.jsonl: does not end with the packed head, row {head['seq']}")
    wrong += check_anchors(anchors, hashes)
    bad, signed = check_signatures(files, keys)
    bad_rows, signed_rows = check_rows(files["journal.jsonl"], keys)
    wrong += bad + bad_rows
    wrong += check_evidence(files, keys)
    wrong += check_readme(files)
    seen.insert(0, f"files: {len(manifest['files'])}")
    seen += [f"anchors: {len(anchors)}", f"signatures: {signed}", f"signed rows: {signed_rows}"]
    newest = max((anchor["seq"] for anchor in anchors), default=0)
    seen.append(
        f"unsigned rows after row {newest} are covered by no anchor here: compare the head, row "
        f"{manifest['head']['seq']} {manifest['head']['hash']}, with one that you trust"
    )
    seen += [f"not packed: {text}" for text in manifest.get("missing", [])]
    seen += [f"key: {fingerprint_of(key['key'])} {key['name']}" for key in keys]
    return wrong, seen


def main(words: list[str]) -> int:
    """The command line."""
    hmac_key = None
    for option in ("--hmac-key", "--hmac-key-base64"):
        if option in words:
            at = words.index(option)
            content = Path(words[at + 1]).read_bytes().strip()
            hmac_key = base64.b64decode(content) if option.endswith("64") else content
            words = words[:at] + words[at + 2 :]
    place = Path(words[0]) if words else Path(__file__).resolve().parent
    try:
        wrong, seen = check(load(place), hmac_key)
    except (OSError, KeyError, ValueError, TypeError, zipfile.BadZipFile) as error:
        print(f"{place}: is no audit pack, or a damaged one: {error}")
        return 2
    print("\n".join(seen))
    print("\n".join(f"WRONG {text}" for text in wrong) if wrong else "all is well")
    return 2 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

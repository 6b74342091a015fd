"""Forty ways to change a pack, the manifest written anew each time: each is found and located.

The checks are those of the `verify.py` in the pack, run from its text. What it cannot know is the
rows after the last signed one: they are unsigned, and their head has to be compared with an anchor.
"""

import hashlib
import json
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from promotion_world import ALPHA

from hft.api.audit import pack
from hft.audit.keys import entry
from hft.audit.sign import generate
from hft.storage.chain_row import canonical, row_hash
from tests.audit.lived_world import lived

Files = dict[str, bytes]
STUB = {"seq", "prev_hash", "row_hash"}


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """The files of a pack."""
    world = lived(tmp_path_factory.mktemp("lived"), tmp_path_factory.mktemp("keys"))
    made = pack(world.root / "p.zip", alphas=[ALPHA], root=world.root)
    assert made.missing == ()
    with zipfile.ZipFile(made.path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> str:
    return generate(tmp_path_factory.mktemp("x") / "eve", "eve")


@pytest.fixture(scope="module")
def checked(packed: Files) -> Callable[[Files], list[str]]:
    """What the verifier of the pack finds; it is compiled once."""
    space: dict[str, Any] = {"__name__": "verify", "__file__": "verify.py"}
    exec(compile(packed["verify.py"], "verify.py", "exec"), space)
    return lambda files: list(space["check"](files)[0])


def sealed(files: Files) -> Files:
    """The manifest as a forger writes it: with the hashes, head and count of what lies there."""
    manifest = json.loads(files["manifest.json"])
    names = sorted(set(files) - {"manifest.json"})
    manifest["files"] = {name: hashlib.sha256(files[name]).hexdigest() for name in names}
    rows = [json.loads(line) for line in files["journal.jsonl"].splitlines()]
    last = rows[-1]
    manifest["head"] = {"seq": last["seq"], "hash": last["row_hash"]}
    full = [row for row in rows if set(row) != STUB and row["table"] != "journal"]
    manifest["rows"] = len(full)
    return {**files, "manifest.json": json.dumps(manifest).encode()}


def one(files: Files, end: str) -> str:
    (name,) = [name for name in files if name.endswith(end)]
    return name


def edited(end: str, old: str, new: str) -> Callable[[Files], Files]:
    def act(files: Files) -> Files:
        name = one(files, end)
        assert old.encode() in files[name], (name, old)
        return {**files, name: files[name].replace(old.encode(), new.encode(), 1)}

    return act


def reversed_file(end: str) -> Callable[[Files], Files]:
    return lambda files: {**files, one(files, end): files[one(files, end)][::-1]}


def dropped(end: str) -> Callable[[Files], Files]:
    return lambda files: {n: d for n, d in files.items() if n != one(files, end)}


def rows(change: Callable[[list[dict[str, Any]]], Any]) -> Callable[[Files], Files]:
    """Rows changed, every hash computed again; a stub keeps the hash it has."""

    def act(files: Files) -> Files:
        found = [json.loads(line) for line in files["journal.jsonl"].splitlines()]
        change(found)
        before, lines = "0" * 64, []
        for number, row in enumerate(found, start=1):
            row |= {"prev_hash": before, "seq": number}
            row["row_hash"] = before = row_hash(row) if set(row) != STUB else row["row_hash"]
            lines.append(canonical(row) + b"\n")
        return {**files, "journal.jsonl": b"".join(lines)}

    return act


def row_of(found: list[dict[str, Any]], **wanted: Any) -> dict[str, Any]:
    return next(
        row
        for row in found
        if set(row) != STUB and all(row["row"].get(name) == v for name, v in wanted.items())
    )


def own(wanted: dict[str, Any], **changed: Any) -> Callable[[Files], Files]:
    return rows(lambda found: row_of(found, **wanted)["row"].update(changed))


def keys(change: Callable[[list[dict[str, Any]]], Any]) -> Callable[[Files], Files]:
    def act(files: Files) -> Files:
        found = json.loads(files["keys.json"])
        change(found)
        return {**files, "keys.json": json.dumps(found).encode()}

    return act


def document(name: str, change: Callable[[Any], Any]) -> Callable[[Files], Files]:
    def act(files: Files) -> Files:
        return {**files, name: json.dumps(change(json.loads(files[name]))).encode()}

    return act


def moved_to_a_newer_folder(files: Files) -> Files:
    name = one(files, f"{ALPHA}.yaml")
    return {**files, name.replace("/2026", "/2027"): files[name]}


def swapped(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    entries[1]["signature"], entries[2]["signature"] = (
        entries[2]["signature"],
        entries[1]["signature"],
    )
    return entries


def both_keys_files(files: Files) -> Files:
    files = edited("keys.yaml", "operator", "validator")(files)
    return keys(lambda found: found[2].update(roles=["validator"]))(files)


def hidden(found: list[dict[str, Any]]) -> None:
    row = row_of(found, stage="approve")
    for name in set(row) - STUB:
        del row[name]


def cut(found: list[dict[str, Any]]) -> None:
    at = found.index(row_of(found, stage="approve"))
    del found[at:]


def without(**wanted: Any) -> Callable[[Files], Files]:
    return rows(lambda found: found.remove(row_of(found, **wanted)))


def stubbed(**wanted: Any) -> Callable[[Files], Files]:
    """A row as a bare hash, as one that nobody asked for."""

    def change(found: list[dict[str, Any]]) -> None:
        row = row_of(found, **wanted)
        for name in set(row) - STUB:
            del row[name]

    return rows(change)


def dated(ts: int, **wanted: Any) -> Callable[[Files], Files]:
    return rows(lambda found: row_of(found, **wanted).update(ts=ts))


def again(found: list[dict[str, Any]]) -> None:
    """The freeze once more, from before the rows were recorded."""
    told = row_of(found, stage="freeze")
    found.append({**told, "row": dict(told["row"]), "ts": told["ts"] - 10**17})


def borrowed(found: list[dict[str, Any]]) -> None:
    row_of(found, action="escalate")["row"]["signature"] = row_of(found, stage="propose")["row"][
        "signature"
    ]


BUNDLE, YAML = "bundle.json", f"{ALPHA}.yaml"
TAMPERS: dict[str, tuple[Callable[[Files], Files], str]] = {
    "memo reversed": (reversed_file("memo.md"), "its memo"),
    "memo deleted": (dropped("memo.md"), "its memo"),
    "bundle edited": (edited(BUNDLE, '"kind":"promotion', '"kind":"emotion'), "bundle.json"),
    "bundle deleted": (dropped(BUNDLE), "bundle.json"),
    "unseen rows edited": (edited("unseen.json", "60", "90"), "its unseen"),
    "unseen rows deleted": (dropped("unseen.json"), "its unseen"),
    "limits edited": (edited("_live.yaml", "max", "min"), "its limits"),
    "limits deleted": (dropped("_live.yaml"), "its limits"),
    "weight 0.05 to 0.5": (edited(YAML, "weight: 0.05", "weight: 0.5"), YAML),
    "owner changed": (edited(YAML, "owner: ann", "owner: eve"), YAML),
    "profile changed": (edited(YAML, "profile: standard", "profile: tier1"), YAML),
    "review date later": (edited(YAML, "expiry_review_date: 20", "expiry_review_date: 21"), YAML),
    "disabled": (edited(YAML, "enabled: true", "enabled: false"), YAML),
    "Sharpe 99 in the promotion": (edited(YAML, "sharpe_oos: ", "sharpe_oos: 99"), YAML),
    "trust changed": (edited(YAML, "trust: workspace", "trust: root"), YAML),
    "promotion deleted": (dropped(YAML), "row"),
    "promotion in a newer folder": (moved_to_a_newer_folder, "/2027"),
    "Sharpe 99 in the scorecard": (
        edited("scorecard.json", '"sharpe_oos":', '"sharpe_oos":99'),
        "scorecard.json",
    ),
    "verdict of Gate A": (edited("feasibility_report.json", "PASS", "FAIL"), "feasibility_report"),
    "report of Gate C deleted": (dropped("backtest_report.json"), "backtest_report.json"),
    "report of Gate D": (reversed_file("integration_report.json"), "integration_report.json"),
    "report of Gate E": (reversed_file("shadow_report.json"), "shadow_report.json"),
    "decision": (reversed_file("promotion_decision.json"), "promotion_decision.json"),
    "roles in keys.yaml": (edited("keys.yaml", "operator", "validator"), "keys.yaml"),
    "roles in keys.json": (keys(lambda k: k[2].update(roles=["validator"])), "keys.json"),
    "roles in both": (both_keys_files, "keys.yaml"),
    "name in keys.json": (keys(lambda k: k[1].update(name="ann")), "keys.json"),
    "key counts from earlier": (keys(lambda k: k[1].update(from_ns=0)), "keys.json"),
    "key counts until later": (keys(lambda k: k[1].update(until_ns=2 * 10**18)), "keys.json"),
    "key removed": (keys(lambda k: k.pop()), "keys.json"),
    "signatures emptied": (document("signatures.json", lambda _: []), "signatures.json"),
    "one signature dropped": (document("signatures.json", lambda s: s[:2]), "its state"),
    "signatures swapped": (document("signatures.json", swapped), "signature of"),
    "signed bytes replaced": (reversed_file("signed/001.payload"), "validator"),
    "anchors emptied": (document("anchors.json", lambda _: []), "anchors.json"),
    "anchor of another row": (
        document("anchors.json", lambda a: [{**one, "seq": one["seq"] - 1} for one in a]),
        "anchor",
    ),
    "weight in the approval's row": (own({"stage": "approve"}, canary_weight=0.5), "row"),
    "weight in the escalation's row": (own({"action": "escalate"}, new_weight=0.5), "row"),
    "verdict in a gate's row": (own({"gate": "C"}, verdict="FAIL", passed=0), "anchors"),
    "signature of the proposal removed": (own({"stage": "propose"}, signature=""), "row"),
    "signature of another row": (rows(borrowed), "signature of row"),
    "time of a freeze": (dated(5, stage="freeze"), "its signature"),
    "code of a freeze": (own({"stage": "freeze"}, scorecard="{}"), "its signature"),
    "alpha of a freeze": (own({"stage": "freeze"}, alpha_id="other"), "its signature"),
    "signature of a freeze": (own({"stage": "freeze"}, signature=""), "row"),
    "a freeze taken out": (without(stage="freeze"), "row"),
    "a freeze dated back": (rows(again), "row"),
    "a look at a vault made another": (
        own({"kind": "vault_look"}, subject="x"),
        "its signature",
    ),
    "a look at a vault called a waiver": (own({"kind": "vault_look"}, kind="waiver"), "row"),
    "signature of a look at a vault": (own({"kind": "vault_look"}, signature=""), "row"),
    "countersignature taken out": (without(stage="countersign"), "asks for 2 validators"),
    "countersignature hidden": (stubbed(stage="countersign"), "asks for 2 validators"),
    "signature of a countersignature": (
        own({"stage": "countersign"}, signature=""),
        "asks for 2 validators",
    ),
    "bundle of a countersignature": (
        own({"stage": "countersign"}, bundle_sha256="0" * 64),
        "asks for 2 validators",
    ),
    "time of a countersignature": (dated(5, stage="countersign"), "its signature"),
    "row taken out": (rows(lambda found: found.pop(5)), "row"),
    "end cut": (rows(cut), "row"),
    "approval hidden": (rows(hidden), "approves"),
    "another journal": (rows(lambda found: found[0]["row"].update(journal_id="0" * 32)), "journal"),
    "scheme of the hashes": (document("manifest.json", lambda m: {**m, "hash": "hmac"}), "hash"),
    "page added": (lambda files: {**files, "files/more.md": b"x"}, "files/more.md"),
    "README changed": (edited("README.txt", "Python", "trust"), "README.txt"),
}


def test_a_pack_that_nobody_touched_is_well(
    packed: Files, checked: Callable[[Files], list[str]]
) -> None:
    assert checked(packed) == [] and checked(sealed(packed)) == []
    assert len(TAMPERS) >= 40


@pytest.mark.parametrize("name", TAMPERS)
def test_a_change_of_a_pack_is_found_and_located(
    packed: Files, checked: Callable[[Files], list[str]], name: str
) -> None:
    change, place = TAMPERS[name]
    forged = sealed(change(dict(packed)))
    if name == "scheme of the hashes":
        manifest = json.loads(forged["manifest.json"])
        forged["manifest.json"] = json.dumps({**manifest, "hash": "hmac-sha256"}).encode()
    found = checked(forged)
    assert found and any(place in text for text in found), found


@pytest.mark.parametrize("end", ["report.html"])
def test_every_page_of_a_pack_is_named_by_its_row(
    packed: Files, checked: Callable[[Files], list[str]], end: str
) -> None:
    pages = [name for name in packed if name.endswith(end)]
    assert len(pages) >= 3
    for page in pages:
        for changed in (
            {**packed, page: b"better"},
            {n: d for n, d in packed.items() if n != page},
        ):
            assert any(page in text for text in checked(sealed(changed))), page


def test_a_key_that_was_added_signs_for_nobody(
    packed: Files, checked: Callable[[Files], list[str]], stranger: str
) -> None:
    from hft.audit.keys import Keys

    (key,) = Keys.from_rows([entry("eve", stranger, from_ns=10**18)])
    fields = ("name", "emails", "roles", "key", "from_ns", "until_ns", "revoked_ns")
    more = {name: getattr(key, name) for name in fields}
    found = checked(sealed(keys(lambda listed: listed.append(more))(packed)))
    assert any("eve is not in keys.yaml" in text for text in found)

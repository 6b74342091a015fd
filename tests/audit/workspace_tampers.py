"""What somebody with a shell can do to the workspace of `lived_world`, and what is found then."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from promotion_world import ALPHA, ROOT

from hft.audit.journal import Journal
from hft.storage.chain_row import canonical, row_hash
from hft.storage.strict_yaml import load_yaml
from hft.storage.yaml_text import dump_yaml
from tests.audit.some_rows import forged

Act = Callable[[Path], Any]
SETTINGS = ["-c", "user.name=t", "-c", "user.email=t@t", "-c", "commit.gpgsign=false"]


def git(folder: Path, *words: str) -> str:
    command = ["git", "-C", str(folder), *SETTINGS, *words]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def journal(root: Path) -> Path:
    return root / ".state" / "audit" / "journal.jsonl"


def one(root: Path, pattern: str) -> Path:
    found = sorted(path for path in root.rglob(pattern) if ".git" not in path.parts)
    assert found, pattern
    return found[0]


def lines(change: Callable[[list[bytes]], Any]) -> Act:
    def act(root: Path) -> None:
        found = journal(root).read_bytes().splitlines(keepends=True)
        change(found)
        journal(root).write_bytes(b"".join(found))

    return act


def row(wanted: dict[str, Any], **changed: Any) -> Act:
    """Own columns of the last row that fits, every hash computed again."""

    def act(root: Path) -> None:
        own = Journal(root / ".state" / "audit")
        seqs = [r["seq"] for r in own.rows() if wanted.items() <= {**r, **r["row"]}.items()]
        assert seqs

        def change(found: dict[str, Any]) -> None:
            if found["seq"] == seqs[-1]:
                for name, value in changed.items():
                    (found["row"] if name in found["row"] else found)[name] = value

        forged(own, change)

    return act


def rechained(change: Callable[[list[dict[str, Any]]], Any]) -> Act:
    """Rows taken out, added or moved; numbers and hashes as if they had always been so."""

    def act(root: Path) -> None:
        found = [json.loads(line) for line in journal(root).read_bytes().splitlines()]
        change(found)
        before, out = "0" * 64, []
        for number, told in enumerate(found, start=1):
            told |= {"seq": number, "prev_hash": before}
            told["row_hash"] = before = row_hash(told)
            out.append(canonical(told) + b"\n")
        journal(root).write_bytes(b"".join(out))

    return act


def edited(pattern: str, old: str, new: str) -> Act:
    def act(root: Path) -> None:
        path = one(root, pattern)
        assert old in path.read_text(), path.read_text()
        path.write_text(path.read_text().replace(old, new, 1))

    return act


def more(pattern: str) -> Act:
    return lambda root: one(root, pattern).write_bytes(one(root, pattern).read_bytes() + b" ")


def gone(pattern: str) -> Act:
    return lambda root: one(root, pattern).unlink()


def moved(folder: str, content: Callable[[str], str] = str, name: str = f"{ALPHA}.yaml") -> Act:
    """A copy of the promotion file in another folder, or under another name."""

    def act(root: Path) -> None:
        path = one(root, f"{ALPHA}.yaml")
        target = path.parent.parent / folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content(path.read_text()))

    return act


def written(name: str, text: str) -> Act:
    def act(root: Path) -> None:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)

    return act


def written_over(pattern: str, content: bytes) -> Act:
    return lambda root: one(root, pattern).write_bytes(content)


def profile_with(key: str, value: str) -> Act:
    def act(root: Path) -> None:
        text = (ROOT / "config" / "governance" / "standard.yaml").read_text()
        head, _, rest = text.partition(f"  {key}:")
        assert rest
        written(
            "config/governance/standard.yaml",
            f"{head}  {key}: {value}\n{rest.partition(chr(10))[2]}",
        )(root)

    return act


def listed(change: Callable[[list[dict[str, Any]]], Any]) -> Act:
    def act(root: Path) -> None:
        path = root / "config" / "keys.yaml"
        rows = load_yaml(path.read_text(), "keys")
        change(rows)
        path.write_text(dump_yaml(rows))

    return act


def invented(root: Path) -> None:
    """A change of the keys that one person signed, or nobody."""
    from hft.storage.chain import Chain

    text = (root / "config" / "keys.yaml").read_text().replace("operator", "validator")
    change = {"n": 1, "ts": 1, "before": "0" * 64, "keys": text, "signatures": []}
    Chain(root / "config" / "keys.changes.jsonl").append([change])


def looked(change: Callable[[list[dict[str, Any]]], Any]) -> Act:
    def act(root: Path) -> None:
        path = one(root, "looked_at.jsonl")
        found = [json.loads(line) for line in path.read_bytes().splitlines()]
        change(found)
        before, out = "0" * 64, []
        for number, told in enumerate(found, start=1):
            told |= {"seq": number, "prev_hash": before}
            told["row_hash"] = before = row_hash(told)
            out.append(canonical(told) + b"\n")
        path.write_bytes(b"".join(out))

    return act


def added(found: list[dict[str, Any]]) -> None:
    last = next(r for r in reversed(found) if r["row"].get("kind") == "promotion")
    evidence = json.loads(last["row"]["evidence"]) | {"weight": 0.5}
    found.append({**last, "row": {**last["row"], "evidence": json.dumps(evidence)}})


def without(wanted: dict[str, Any]) -> Act:
    """The last row that fits taken out."""

    def change(found: list[dict[str, Any]]) -> None:
        fits = [told for told in found if wanted.items() <= told["row"].items()]
        found.remove(fits[-1])

    return rechained(change)


def dated_back(found: list[dict[str, Any]]) -> None:
    """A validator's freeze once more, with its signature, from before the rows were recorded."""
    told = next(row for row in found if row["row"].get("stage") == "freeze")
    found.append({**told, "ts": told["ts"] - 10**17})


def swapped(found: list[bytes]) -> None:
    found[3], found[4] = found[4], found[3]


def until(word: str) -> Callable[[list[bytes]], None]:
    def change(found: list[bytes]) -> None:
        at = next(n for n, line in enumerate(found) if word.encode() in line)
        del found[at:]

    return change


def rolled_back_and_erased(root: Path) -> None:
    """A rollback by the command, then everything here as it was before."""
    from hft.api import canary

    kept = journal(root).read_bytes(), one(root, f"{ALPHA}.yaml").read_bytes()
    canary.rollback(ALPHA, reason="enough", root=root, now="2026-12-30T12:00Z")
    journal(root).write_bytes(kept[0])
    one(root, f"{ALPHA}.yaml").write_bytes(kept[1])


YAML, J = f"{ALPHA}.yaml", "journal.jsonl"
CODE = f"research/alphas/{ALPHA}"
PROMOTIONS = "config/strategy_promotions"
EVE = {"name": "eve", "emails": [], "key": f"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{'J' * 43}"}
CUT, ANEW, SIGNED = "JOURNAL_CUT", "JOURNAL_REWRITTEN", "BAD_SIGNATURE"
UNSIGNED, PLACE, CHANGED = "UNSIGNED_PROMOTION", "PROMOTION_OUT_OF_PLACE", "ARTIFACT_CHANGED"
LOOKED, KEYS, LEDGER = "LOOKED_AT_CHANGED", "KEYS_UNSIGNED", "LEDGER_"
COUNTER, VAULT = "COUNTERSIGNATURE_MISSING", {"kind": "vault_look"}
OTHER_CODE = json.dumps({"code_hash": "e" * 64})
REPORTS = (
    *("bundle.json", "promotions/*/*/memo.md", "unseen.json", "integration_report.json"),
    *("shadow_report.json", "promotion_decision.json", "scorecard.json", "feasibility_report.json"),
    *("correctness_report.json", "backtest_report.json", "validations/*/*/manifest.json"),
    *("promotions/*/*/report.html", "canary/*/*/report.html"),
)


def at(number: int, value: bytes) -> Act:
    return lines(lambda found: found.__setitem__(number, value))


# Groups: what a finding's place contains, whether a clone finds it too, name -> act and code.
GROUPS: list[tuple[str, bool, dict[str, tuple[Act, str]]]] = [
    (
        J,
        False,
        {
            "a byte of a row": (edited(J, '"approved":1', '"approved":0'), "JOURNAL_ROW"),
            "a row taken out": (lines(lambda f: f.pop(4)), "JOURNAL_ROWS_MISSING"),
            "a row taken out, chained anew": (rechained(lambda f: f.pop(4)), ANEW),
            "the last row cut": (lines(lambda f: f.pop()), CUT),
            "cut before the escalation": (lines(until('"escalate"')), CUT),
            "cut before the approval": (lines(until('"stage":"approve"')), CUT),
            "cut to the first line": (lines(lambda f: f.__delitem__(slice(1, None))), CUT),
            "rows swapped": (lines(swapped), "JOURNAL_"),
            "a row that is no row": (at(5, b"{}\n"), "JOURNAL_"),
            "a row twice": (lines(lambda f: f.append(f[-1])), "JOURNAL_FORKED"),
            "the end torn by hand": (lines(lambda f: f.append(f.pop()[:-1])), "JOURNAL_TORN"),
            "journal deleted": (lambda r: journal(r).unlink(), "JOURNAL_ABSENT"),
            "journal emptied": (lambda r: journal(r).write_bytes(b""), "JOURNAL_ABSENT"),
            "last row rewritten": (row({"cause": "escalate"}, cause="hold"), ANEW),
            "verdict of a gate": (row({"gate": "C"}, verdict="FAIL"), ANEW),
            "time of a row": (row({"gate": "B"}, ts=5), ANEW),
            "person of a row": (row({"action": "hold"}, actor="eve"), ANEW),
            "keys of a row": (row({"gate": "A"}, keys_hash="0" * 64), ANEW),
            "ledger of a row set back": (row({"stage": "propose"}, ledger_heads="{}"), ANEW),
            "another journal": (rechained(lambda f: f[0]["row"].update(journal_id="0" * 32)), ANEW),
            "the row of a look taken out": (rechained(lambda f: f.pop(1)), ANEW),
            "a rollback erased": (rolled_back_and_erased, CUT),
            "a freeze taken out": (without({"stage": "freeze"}), ANEW),
            "signature of a freeze": (row({"stage": "freeze"}, signature=""), ANEW),
            "person of a freeze": (row({"stage": "freeze"}, actor="eve"), ANEW),
            "a look at a vault taken out": (without({"kind": "vault_look"}), ANEW),
            "person of a countersignature": (row({"stage": "countersign"}, actor="eve"), ANEW),
        },
    ),
    (
        "audit.",
        False,
        {
            "weight of an approval": (row({"stage": "approve"}, canary_weight=0.5), SIGNED),
            "weight of an escalation": (row({"action": "escalate"}, new_weight=0.5), SIGNED),
            "signature of an escalation": (row({"action": "escalate"}, signature=""), SIGNED),
            "a change appended": (rechained(added), "CHANGE_UNFOUNDED"),
            "time of a freeze": (row({"stage": "freeze"}, ts=5), SIGNED),
            "code of a freeze": (row({"stage": "freeze"}, scorecard=OTHER_CODE), SIGNED),
            "alpha of a freeze": (row({"stage": "freeze"}, alpha_id="other"), SIGNED),
            "key of a freeze": (row({"stage": "freeze"}, key_fp="SHA256:x"), SIGNED),
            "a freeze dated back": (rechained(dated_back), SIGNED),
            "a look at a vault made another": (row(VAULT, subject='{"dataset":"a"}'), SIGNED),
            "a look at a vault called a waiver": (row(VAULT, kind="waiver"), SIGNED),
            "signature of a look at a vault": (row(VAULT, signature=""), SIGNED),
            "countersignature taken out": (without({"stage": "countersign"}), COUNTER),
            "signature of a countersignature": (
                row({"stage": "countersign"}, signature=""),
                COUNTER,
            ),
            "bundle of a countersignature": (
                row({"stage": "countersign"}, bundle_sha256="0" * 64),
                COUNTER,
            ),
            "key of a countersignature": (row({"stage": "countersign"}, key_fp="SHA256:x"), SIGNED),
            "time of a countersignature": (row({"stage": "countersign"}, ts=5), SIGNED),
        },
    ),
    (
        YAML,
        True,
        {
            "weight of a promotion": (edited(YAML, "weight: 0.05", "weight: 0.5"), UNSIGNED),
            "its profile": (edited(YAML, "profile: standard", "profile: tier1"), UNSIGNED),
            "its review date": (edited(YAML, "review_date: 20", "review_date: 21"), UNSIGNED),
            "its trust": (edited(YAML, "trust: workspace", "trust: root"), UNSIGNED),
            "its threshold": (edited(YAML, "sharpe_oos: 1", "sharpe_oos: 0"), UNSIGNED),
            "its form": (edited(YAML, "enabled: true", "enabled:  true"), "UNREADABLE_PROMOTION"),
            "a promotion deleted": (gone(YAML), "ARTIFACT_MISSING"),
            "the same file in a newer folder": (moved("20270101"), PLACE),
            "the file in an older folder": (moved("20200101"), PLACE),
            "the file in a folder below": (moved("20261102/deep"), "UNREADABLE_PROMOTION"),
        },
    ),
    (
        "other.yaml",
        True,
        {
            "a promotion under another name": (
                moved("20261102", name="other.yaml"),
                "UNREADABLE_PROMOTION",
            ),
            "a promotion that nobody made": (
                written(f"{PROMOTIONS}/20270101/other.yaml", "alpha_id: other\n"),
                "UNREADABLE_PROMOTION",
            ),
        },
    ),
    *((Path(name).name, False, {f"{name} changed": (more(name), CHANGED)}) for name in REPORTS),
    (
        CODE,
        True,
        {
            "code of what is live": (written(f"{CODE}/impl.py", "x = 1\n"), "LIVE_CODE_CHANGED"),
            "a file beside its code": (written(f"{CODE}/w.json", "{}"), "LIVE_CODE_CHANGED"),
        },
    ),
    ("live.yaml", True, {"its limits": (more("config/limits/live.yaml"), "LIVE_LIMITS_CHANGED")}),
    (
        "standard",
        False,
        {
            "a threshold of it": (profile_with("dsr_min", "0.999"), "LIVE_THRESHOLDS_CHANGED"),
            "a threshold loosened": (profile_with("dsr_min", "0.5"), "LIVE_THRESHOLDS_CHANGED"),
        },
    ),
    (
        "simulator",
        False,
        {
            "report of the simulator": (more("simulator/venue.json"), "LIVE_SIMULATOR_CHANGED"),
            "another report of it": (
                written("research/registry/simulator/x.json", "{}"),
                "LIVE_SIMULATOR_CHANGED",
            ),
        },
    ),
    (
        "keys.yaml",
        True,
        {
            "a person more": (listed(lambda k: k.append({**k[0], **EVE})), KEYS),
            "a role more": (listed(lambda k: k[2].update(roles=["operator", "validator"])), KEYS),
            "a key removed": (listed(lambda k: k.pop(2)), KEYS),
            "a key revoked": (listed(lambda k: k[1].update(revoked="2026-12-30")), KEYS),
            "keys deleted": (gone("config/keys.yaml"), KEYS),
            "keys unreadable": (written("config/keys.yaml", "- name: [\n"), "KEYS_UNREADABLE"),
        },
    ),
    ("keys.changes.jsonl", True, {"a change of keys invented": (invented, KEYS)}),
    (
        "looked_at",
        False,
        {
            "looks deleted": (gone("looked_at.jsonl"), LOOKED),
            "a look cut": (looked(lambda f: f.pop()), LOOKED),
            "other sessions looked at": (looked(lambda f: f[0].update(last=20250101)), LOOKED),
            "a byte of a look": (edited("looked_at.jsonl", '"try"', '"tri"'), LOOKED),
        },
    ),
    (
        "ledger",
        True,
        {
            "trials deleted": (gone("research/ledger/*.jsonl"), LEDGER),
            "a trial edited": (edited("ledger/*.jsonl", '"n_obs":1000', '"n_obs":9000'), LEDGER),
            "trials emptied": (written_over("ledger/*.jsonl", b""), LEDGER),
            "returns deleted": (gone("research/ledger/returns/*.arrow"), LEDGER),
            "returns changed": (written_over("returns/*.arrow", b"x"), LEDGER),
        },
    ),
]
TAMPERS = {
    name: (act, code, place, in_clone)
    for place, in_clone, group in GROUPS
    for name, (act, code) in group.items()
}

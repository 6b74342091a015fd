"""What a workspace says that the audit must know: promotions, ledger, artifacts, anchors, keys.

Gathered for `hft.api.audit` and handed to `hft.audit` as plain data.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from hft.api.audit_live import countersigned, live, looks, strangers, unfounded
from hft.api.desk import Desk
from hft.api.evidence_files import of_promotions, relative
from hft.audit import anchors as anchored
from hft.audit import artifacts
from hft.audit.anchors import Anchor
from hft.audit.journal import Row
from hft.audit.keys import Keys
from hft.audit.trust import forgotten, late
from hft.audit.verify import PromotionFile, Signed
from hft.audit.walk import Finding
from hft.core.errors import ConfigError
from hft.storage.chain import Head

ANCHORS = ("research", "registry")  # below the root, tracked in git
KEYS = "KEYS_UNREADABLE"
UNSIGNED_KEYS = "KEYS_UNSIGNED"
FORGOTTEN_KEYS = "KEYS_CUT"
UNCHECKED = "signatures and signed tags were not checked: the keys file cannot be read"


class Promotions:
    """What the promotion files say that the audit must know: heads, bundles, signatures."""

    def __init__(self, desk: Desk, keys: Keys | None) -> None:
        from hft.governance.promotion import promotions

        self.desk, self.keys = desk, keys
        self.files: list[PromotionFile] = []
        self.signed: list[Signed] = []
        self.findings: list[Finding] = []
        self.contents: list[dict[str, Any]] = []
        self.paths: list[str] = []
        for file in promotions.read(desk.workspace.promotions).files:
            self._add(file)

    def anchors(self) -> list[Anchor]:
        """The heads that stand in the files."""
        return [Anchor(*file.audit_head, file.path) for file in self.files]

    def _add(self, file: Any) -> None:
        from hft.governance.promotion.signatures import check_signatures, owner_payload, signed_ns

        place = relative(file.path, self.desk.root)
        self.paths.append(place)
        promotion = file.promotion
        if promotion is None:
            finding = file.finding
            self.findings.append(Finding(finding.code, place, 0, "", finding.sentence))
            return
        data = promotion.data
        self.contents.append(dict(data))
        head = data["heads"]["audit"]
        at_ns = signed_ns(file, self.desk.now_ns)
        self.files.append(
            PromotionFile(
                place,
                promotion.alpha_id,
                data["hashes"]["bundle"],
                promotion.sha256,
                Head(int(head["seq"]), str(head["hash"])),
            )
        )
        wrong = "" if self.keys is None else check_signatures(promotion, self.keys, at_ns)
        if wrong:
            words = f"{place}: {wrong}; it counts as weight 0"
            self.findings.append(Finding("UNSIGNED_PROMOTION", place, 0, "", words))
        payloads = {
            "owner": owner_payload(data["hashes"]["bundle"]),
            "validator": promotion.approval_payload,
            "state": promotion.state_payload,
        }
        for part, payload in payloads.items():
            entry = data["signatures"][part]
            one = Signed(f"{place}: {part}", payload, entry["sig"], entry["name"], at_ns)
            self.signed.append(one)


def keys_of(desk: Desk) -> tuple[Keys | None, list[Finding]]:
    """Who may sign; None and a finding where the file cannot be read: then nobody can tell.

    Under a root those that a quorum signed, with a finding where the keys file has others.
    """
    try:
        trust = desk.trust
        if not trust.wrong:
            return trust.keys, []
        place = relative(Path(trust.place), desk.root)
        return trust.keys, [Finding(UNSIGNED_KEYS, place, 0, "", trust.wrong)]
    except ConfigError as error:
        place = relative(desk.workspace.keys, desk.root)
        return None, [Finding(KEYS, place, 0, "", str(error))]


def beside(
    desk: Desk, rows: Sequence[Row], gathered: Promotions
) -> tuple[list[Finding], list[str]]:
    """Ledger and artifacts against what the rows that can be believed say of them."""
    named = [*artifacts.of_rows(rows), *of_promotions(desk, rows, gathered.contents)]
    placed = {one.place for one in gathered.findings}
    changed, absent = artifacts.check((one for one in named if one.path not in placed), desk.root)
    unchecked = [UNCHECKED] if gathered.keys is None else []
    found = [*_ledger_findings(desk, rows, gathered), *changed]
    if gathered.keys is not None:
        found += [*_forgotten(desk, rows), *countersigned(desk, rows, gathered.keys)]
    found += [*strangers(desk, rows, gathered.paths), *looks(desk, rows), *unfounded(rows)]
    return [*found, *live(desk, rows)], [*unchecked, *absent]


def _forgotten(desk: Desk, rows: Sequence[Row]) -> Iterator[Finding]:
    """A change of the keys that was recorded, and is gone from the file of changes."""
    from hft.audit.keychange import changes_file

    seq, words = forgotten(rows, desk.trust)
    if words:
        place = relative(changes_file(desk.workspace.keys), desk.root)
        yield Finding(FORGOTTEN_KEYS, place, seq, "", f"{place}: {words}")
    seq, words = late(rows, desk.trust, desk.now_ns)
    if words:
        place = relative(changes_file(desk.workspace.keys), desk.root)
        yield Finding(UNSIGNED_KEYS, place, seq, "", f"{place}: {words}")


def trust_of(desk: Desk, gathered: Promotions) -> Iterator[str]:
    """On whose word the keys count, now and when each file was approved."""
    if gathered.keys is None:
        return
    yield desk.trust.words
    for data in gathered.contents:
        if desk.trust.root is not None and desk.trust.root.sha256 not in data.get("trust", ""):
            yield f"{data['alpha_id']}: was approved with {_approved_with(data.get('trust', ''))}"
    if desk.rehearsal:
        yield "a rehearsal: one machine held every key and set the clock; logins prove nothing"


def _approved_with(mark: str) -> str:
    return f"another root ({mark})" if mark.startswith("root") else "keys as its workspace said"


def _ledger_findings(desk: Desk, rows: Sequence[Row], gathered: Promotions) -> Iterator[Finding]:
    """What the ledger is against the newest heads that rows and promotions have seen."""
    heads = anchored.ledger_heads(rows, gathered.contents)
    if not heads and not desk.workspace.ledger.is_dir():
        return
    for problem in desk.ledger.verify([heads]):
        yield Finding(problem.code, f"ledger {problem.writer}", problem.seq, "", problem.sentence)


def anchors_of(desk: Desk, keys: Keys | None) -> list[Anchor]:
    """Without keys no signed tag can be told from another: none counts."""
    tags = [] if keys is None else anchored.from_tags(desk.root, keys)
    return tags + anchored.from_exports(desk.root.joinpath(*ANCHORS))

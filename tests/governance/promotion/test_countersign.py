"""tier1 is put in place by the second of two validators, each of whom measured again."""

from dataclasses import replace

from promotion_world import ALPHA, World, profile

from hft.api.audit import verify
from hft.audit.pack_signers import countersigned
from hft.audit.signed_rows import check_rows
from hft.governance.profile import Profile
from hft.governance.promotion.countersign import lacking
from hft.governance.trace.why import pages_of, why


def two() -> Profile:
    """`standard` as the world's evidence passes it, with two validators as tier1 asks."""
    plain = profile("standard")
    return replace(plain, values={**plain.values, "promotion.validators_min": 2})


def test_the_first_validator_leaves_a_signed_row_and_the_second_puts_the_file_in_place(
    world: World,
) -> None:
    assert profile("tier1").get("promotion.validators_min") == 2
    assert profile("standard").get("promotion.validators_min") == 1
    world.propose(profile=two())
    world.pass_days(1 / 24)
    first = world.approve("bob")
    assert (first.approved, first.stage) == (False, "countersign")
    assert "validator 1 of 2" in first.objections[0]
    world.pass_days(1 / 24)
    again = world.approve("bob")
    assert (again.approved, again.stage) == (False, "countersign"), "one person is one"
    second = world.approve("dan")
    assert second.approved, second.objections
    assert world.file().promotion is not None
    stages = [(row["stage"], row["approved"]) for row in world.rows("alpha_promotion_log")]
    assert stages == [("propose", 1), ("countersign", 0), ("countersign", 0), ("approve", 1)]
    assert check_rows(world.office().audit.rows(), world.keys) == []


def test_an_unsigned_row_of_another_validator_is_no_signature(world: World) -> None:
    world.propose(profile=two())
    world.pass_days(1 / 24)
    assert world.approve("bob").stage == "countersign"
    (row,) = [one for one in world.rows("alpha_promotion_log") if one["stage"] == "countersign"]
    office = world.office("dan")
    forged = {**row, "signature": "", "bundle_sha256": "0" * 64}
    office.audit.record("alpha_promotion_log", forged, now_ns=world.now_ns)
    world.propose(profile=two())
    world.pass_days(1 / 24)
    assert world.approve("dan").stage == "countersign", "bob signed another bundle"
    assert row["alpha_id"] == ALPHA


def test_an_approval_without_its_countersignature_is_found_here_and_in_a_pack(
    world: World,
) -> None:
    (world.root / "config" / "default.yaml").write_text("alpha.rehearsal: true\n")
    world.propose(profile=two())
    world.pass_days(1 / 24)
    world.approve("bob")
    world.pass_days(1 / 24)
    assert world.approve("dan").approved
    office = world.office()
    rows = list(office.audit.rows())
    bundle = world.bundle()
    known = {bundle.sha256: bundle}.get
    assert list(lacking(rows, known, world.keys)) == []
    fewer = [row for row in rows if row["row"].get("stage") != "countersign"]
    ((seq, words),) = lacking(fewer, known, world.keys)
    assert seq == rows[-2]["seq"] and "asks for 2 validators" in words and "dan" in words
    keys = [{"name": k.name, "roles": list(k.roles), "key": k.key} for k in world.keys]
    files = {"files/x/bundle.json": bundle.content}
    assert list(countersigned(files, rows, keys)) == []
    (said,) = countersigned(files, fewer, keys)
    assert f"row {seq}: its bundle asks for 2 validators, 1 signed" in said
    assert "COUNTERSIGNATURE_MISSING" not in [one.code for one in verify(world.root).findings]
    office.audit.journal.path.write_bytes(
        b"".join(
            line
            for line in office.audit.journal.raw_lines()
            if b'"stage":"countersign"' not in line
        )
    )
    assert "COUNTERSIGNATURE_MISSING" in [one.code for one in verify(world.root).findings]


def test_gates_d_and_e_are_linked_to_the_page_of_the_proposal(world: World) -> None:
    done = world.propose()
    rows = list(world.office().audit.rows())
    pages = pages_of(world.workspace.experiments, ALPHA)
    links = {
        one.words.split(" ")[1]: one.page
        for one in why(ALPHA, rows, [], pages)
        if one.kind == "gate"
    }
    for gate in ("D", "E"):
        assert links[gate] == f"promotions/{ALPHA}/{done.folder.name}/report.html"

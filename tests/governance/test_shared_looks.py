"""Looks at a vault follow the data: into another family's name, and into a fresh workspace."""

import json
import shutil
from pathlib import Path

import pytest
from promotion_world import World

from hft.api.desk import open_desk
from hft.core.errors import GovernanceError, JournalError, Unavailable
from hft.governance.promotion.payment import pay
from hft.governance.shared_looks import FOLDER
from hft.research.data.footprint import Footprint

VAULT = Footprint({day: (100.0, 101.0) for day in range(20240101, 20240121)})
MORE = Footprint({day: (99.5, 101.5) for day in range(20240111, 20240131)})
FAMILIES = ("ofi", "queue", "micro", "carry", "drift", "depth")


@pytest.fixture(scope="module")
def key_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("keys")


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    made = tmp_path / "shared"
    made.mkdir()
    return made


def looked(world: World, family: str, registry: Path | None = None, rows: Footprint = VAULT) -> str:
    """What comes of asking for a look: its sentence, or that of the refusal."""
    office = world.office("bob")
    office.ledger.registry = registry
    whose = {"budget": 3, "signer": world.person("bob"), "key": world.key("bob")}
    try:
        dataset = f"{rows.days.keys()}{family}".encode().hex()[:64]
        return pay(office, family, f"of_{family}", dataset, rows, reason="x", **whose).sentence
    except GovernanceError as error:
        return str(error)


def test_one_vault_under_six_names_is_shown_three_times_in_all(
    tmp_path: Path, key_store: Path
) -> None:
    world = World.made(tmp_path / "desk", key_store)
    said = [looked(world, name, rows=(VAULT, MORE)[n % 2]) for n, name in enumerate(FAMILIES)]
    assert [text.rpartition(": ")[2] for text in said[:3]] == [f"look {n} of 3" for n in (1, 2, 3)]
    assert all("all 3 looks are spent: of_ofi (audit row 2)" in text for text in said[3:])


def test_a_fresh_workspace_has_the_looks_of_the_desk_and_no_others_of_its_own(
    tmp_path: Path, key_store: Path, registry: Path
) -> None:
    old, new = (World.made(tmp_path / name, key_store) for name in ("old", "new"))
    looked(old, "ofi")  # before anybody named a registry
    assert "look 2 of 3" in looked(old, "ofi", registry)
    assert "look 3 of 3" in looked(new, "queue", registry)
    for world, own in ((old, "of_queue"), (new, "of_ofi")):
        refused = looked(world, "micro", registry)
        assert "all 3 looks are spent" in refused
        assert f"{own} (audit row 2 of another workspace)" in refused
    alone = World.made(tmp_path / "alone", key_store)
    assert "look 1 of 3" in looked(alone, "ofi"), "without a registry, as the page says"


def test_a_look_that_was_taken_out_of_the_registry_comes_back(
    tmp_path: Path, key_store: Path, registry: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = (World.made(tmp_path / name, key_store) for name in ("old", "new"))
    for _ in range(3):
        looked(old, "ofi", registry)
    shutil.rmtree(registry / FOLDER)
    (old.root / "config" / "default.yaml").write_text("alpha.rehearsal: true\n")
    monkeypatch.setenv("HFT_ALPHA_REGISTRY", str(registry))
    assert len(open_desk(old.root).looked_rows()) == 3, "any call that counts brings them"
    assert "all 3 looks are spent" in looked(new, "ofi", registry)


def test_a_look_that_was_changed_in_the_registry_is_named_and_nothing_is_shown(
    tmp_path: Path, key_store: Path, registry: Path
) -> None:
    old, new = (World.made(tmp_path / name, key_store) for name in ("old", "new"))
    looked(old, "ofi", registry)
    (file,) = (registry / FOLDER).iterdir()
    row = json.loads(file.read_bytes())
    file.write_text(json.dumps(row | {"row": row["row"] | {"kind": "waiver"}}))
    with pytest.raises(JournalError, match=f"{file.name}: is not the look that its name says"):
        looked(new, "ofi", registry)
    assert "look 2 of 3" in looked(old, "ofi", registry), "who has the row puts it right"
    assert "look 3 of 3" in looked(new, "ofi", registry)


def test_without_the_registry_nothing_is_shown(
    tmp_path: Path, key_store: Path, registry: Path
) -> None:
    world = World.made(tmp_path / "desk", key_store)
    registry.rmdir()
    with pytest.raises(Unavailable, match="a count of looks without it is no count"):
        looked(world, "ofi", registry)
    assert world.rows("override_log") == []

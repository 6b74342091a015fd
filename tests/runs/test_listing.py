import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from made_runs import Records, records, write_run

from hft.cli.where import rows_where
from hft.core.errors import ConfigError, DataError
from hft.runs.folder.layout import find_sealed
from hft.runs.folder.listing import listing, resolve, swept
from hft.runs.result import load

IDS = ["20260101T000000Z_aaaaaaaa", "20260102T000000Z_bbbbbbbb", "20260103T000000Z_cccccccc"]


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("listing")
    made: Records = records(wakes=30)
    for k, name in enumerate(IDS):
        write_run(folder, made, run_id=name, record="summary", partial=k == 1)
    (folder / "notes_of_mine").mkdir()
    return folder


def test_every_run_is_a_row_and_other_folders_are_not(out: Path) -> None:
    frame = listing(out)
    assert frame["run_id"].to_list() == IDS
    assert frame["state"].to_list() == ["sealed", "partial", "sealed"]
    assert frame["started"][1].isoformat() == "2026-01-02T00:00:00+00:00"
    assert frame["fills"].null_count() == 0
    assert listing(out / "nowhere").height == 0


def test_the_list_can_be_filtered(out: Path) -> None:
    assert listing(out, {"state": "partial"})["run_id"].to_list() == IDS[1:2]
    assert listing(out, pl.col("run_id") > IDS[0]).height == 2
    with pytest.raises(ConfigError, match="no column 'colour'"):
        listing(out, {"colour": "red"})


@pytest.mark.parametrize(
    ("name", "found"),
    [
        *(("last", 2), ("last~0", 2), ("last~1", 0), ("last.partial", 1), ("last.partial~0", 1)),
        *(("20260102", 1), (IDS[0], 0), (IDS[1], 1)),
    ],
)
def test_a_run_is_found_by_name(out: Path, name: str, found: int) -> None:
    assert load(name, out).id == IDS[found]


def test_a_path_is_a_name(out: Path) -> None:
    path = resolve("last", out)
    assert resolve(path) == path


def test_where_only_partial_runs_are_of_use_the_last_is_one_of_them(out: Path) -> None:
    assert resolve("last", out, partial=True) == resolve("last.partial", out)
    with pytest.raises(DataError, match=r"last~1: .* has 1 partial run$"):
        resolve("last~1", out, partial=True)


def swept_runs(folder: Path, params: list[dict[str, dict[str, Any]]]) -> pl.DataFrame:
    """The listing of runs with these parameters by strategy."""
    made: Records = records(wakes=30)
    for k, strategies in enumerate(params):
        config = {"strategies": {name: {"params": one} for name, one in strategies.items()}}
        name = f"2026010{k + 1}T000000Z_aaaaaaaa"
        write_run(folder, made, run_id=name, record="summary", manifest={"config": config})
    return listing(folder)


def test_parameters_are_columns_and_those_that_differ_are_told(tmp_path: Path) -> None:
    rows = [{"mine": {"edge": edge, "lots": 1, "on": True}} for edge in (1, 2.5)]
    frame = swept_runs(tmp_path, [*rows, {"other": {"mood": "wild"}}])
    at = frame.columns.index("strategies")
    names = ["params.edge", "params.lots", "params.on", "params.mood"]
    assert frame.columns[at + 1 : at + 5] == names
    assert frame["params.edge"].to_list() == [1.0, 2.5, None]
    assert frame["params.lots"].to_list() == [1, 1, None]
    assert swept(frame) == (names[:1], names[1:])
    assert rows_where(frame, "params.edge > 1.5 and params.lots == 1").height == 1
    assert listing(tmp_path, {"params.mood": "wild"}).height == 1


def test_parameters_of_several_strategies_have_their_names(tmp_path: Path) -> None:
    frame = swept_runs(tmp_path, [{"calm": {"half": 1}, "fast": {"half": [0.5, 1.0]}}])
    assert frame["params.calm.half"].to_list() == [1]
    assert frame["params.fast.half"].to_list() == ["[0.5, 1.0]"]


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("2026", "3 runs begin so"),
        ("zebra", "no run 'zebra' in folder"),
        ("last~9", "has 2 runs that ended, and 1 partial: last.partial"),
    ],
)
def test_a_name_that_fits_none_or_many_is_one_sentence(out: Path, name: str, sentence: str) -> None:
    with pytest.raises(DataError, match=sentence):
        resolve(name, out)


def test_a_damaged_folder_is_listed_and_stops_nobody(tmp_path: Path) -> None:
    made = records(wakes=10)
    bad = write_run(tmp_path, made, run_id=IDS[0], record="digest")
    (bad.path / "manifest.json").write_text("{ torn")
    good = write_run(tmp_path, made, run_id=IDS[1], record="digest")
    assert listing(tmp_path)["state"].to_list() == ["damaged", "sealed"]
    key = str(good.manifest["key"])
    bad.path.rename(tmp_path / f"20270101T000000Z_{key[:8]}")
    good.path.rename(tmp_path / f"20260101T000000Z_{key[:8]}")
    found = find_sealed(tmp_path, key)
    assert found is not None and found.name.startswith("2026")


def test_runs_of_one_second_stand_in_the_order_in_which_they_began(tmp_path: Path) -> None:
    made = records(wakes=10)
    second = "20260101T000000Z"
    began = [f"{second}_{key}" for key in ("ffffffff", *["aaaaaaaa"] * 11, "00000000")]
    runs = [
        write_run(tmp_path, made, run_id=name, record="digest", manifest={"started_ns": k + 1})
        for k, name in enumerate(began)
    ]
    assert listing(tmp_path)["run_id"].to_list() == [run.id for run in runs]
    assert runs[11].id == f"{second}_aaaaaaaa.11"
    assert load("last", tmp_path).id == f"{second}_00000000"
    assert load("last~12", tmp_path).id == f"{second}_ffffffff"


def test_runs_of_one_moment_stand_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    made = records(wakes=10)
    runs = [write_run(tmp_path, made, run_id=IDS[0], record="digest") for _ in range(11)]
    assert listing(tmp_path)["run_id"].to_list() == [run.id for run in runs]


@pytest.mark.parametrize(
    "hurt",
    ["fills.parquet", "series.parquet", "metrics.json", "instruments.json", "journal", "digest"],
)
def test_a_run_that_lost_a_part_is_not_opened_in_place_of_a_replay(
    tmp_path: Path, hurt: str
) -> None:
    made = records(wakes=30)
    run = write_run(tmp_path, made)
    key = str(run.manifest["key"])
    assert find_sealed(tmp_path, key, "full") == run.path
    gone = run.path / hurt
    if gone.is_dir():
        shutil.rmtree(gone)
    else:
        gone.unlink()
    assert find_sealed(tmp_path, key, "full") is None


def test_a_run_that_was_cut_or_has_another_digest_is_not_opened_either(tmp_path: Path) -> None:
    made = records(wakes=30)
    run = write_run(tmp_path, made)
    key = str(run.manifest["key"])
    table, digest = run.path / "events.parquet", run.path / "digest"
    whole = table.read_bytes()
    for cut in (whole[:-3], whole[:2]):
        table.write_bytes(cut)
        assert find_sealed(tmp_path, key, "full") is None
    table.write_bytes(whole)
    assert find_sealed(tmp_path, key, "full") == run.path
    digest.write_text("ab" * 32 + "\n")
    assert find_sealed(tmp_path, key, "full") is None


def test_a_folder_given_as_the_condition_is_told_where_it_belongs(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"where: 'mine' is no condition.*out='mine'"):
        listing(tmp_path, "mine")

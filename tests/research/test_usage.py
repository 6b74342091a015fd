"""Which sessions of a market can prove something, however its rows are split and chosen again."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from hft.api import audit, research
from hft.api.search import search
from hft.api.validation import validate
from hft.core.errors import ValidationError
from hft.governance.validation.result import Validation
from hft.governance.verdict import Verdict
from hft.research.data import usage
from hft.research.data.dataset import ResearchData
from hft.research.data.features import write
from hft.research.data.footprint import Footprint
from hft.research.data.load import load
from hft.research.data.planted import planted
from hft.research.data.usage import Kind, Use
from hft.research.workspace import Workspace

pytestmark = pytest.mark.usefixtures("shared_judgements")
DAYS = 50


@pytest.fixture(scope="module")
def bars(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bars") / "bars.parquet"
    planted(0.05, days=DAYS, seed=1).write_parquet(path)
    return path


def split(bars: Path, folder: Path, shares: str, last: int = DAYS) -> ResearchData:
    """The first so many days, as `hft data features --split` makes them."""
    data = load(bars)
    first = data.frame.filter(pl.col("session") <= data.sessions[last - 1])
    write(first, folder, horizons="1min", split=shares)
    return load(folder)


def used(place: Workspace, kind: Kind, data: ResearchData, part: str) -> None:
    usage.record(place, Use.of(kind, "mine", data, data.select(part)), 1)


def objections(place: Workspace, data: ResearchData, part: str = "validate") -> str:
    return "; ".join(usage.spoiled(usage.uses(place, data), data, data.select(part)))


@pytest.mark.parametrize("more", [2, 5, 10])
def test_rows_that_grew_are_told_the_split_that_works(
    more: int, bars: Path, tmp_path: Path
) -> None:
    place = Workspace(tmp_path / "desk")
    used(place, "validate", split(bars, tmp_path / "one", "40,40,20", DAYS - more), "validate")
    grown = split(bars, tmp_path / "two", "40,40,20")
    words = objections(place, grown)
    found = re.search(r"--split ([\d.,]+), whose vault has them", words)
    if more == 10:  # the new vault lies behind the old one
        assert not words
        return
    assert found is not None, words
    assert not objections(place, split(bars, tmp_path / "three", found[1]))


def test_no_look_is_lost_when_several_are_written_at_once(bars: Path, tmp_path: Path) -> None:
    place, data = Workspace(tmp_path), load(bars)
    every = [Use("try", f"alpha_{n}", data.content, (1, 2), None) for n in range(200)]
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda use: usage.record(place, use, 7), [*every, *every]))
    lines = (tmp_path / "research/experiments" / usage.FILE).read_text().splitlines()
    assert sorted(json.loads(line)["alpha_id"] for line in lines) == sorted(
        use.alpha_id for use in every
    )


def test_a_use_that_was_written_by_hand_first_is_told_all_the_same(
    bars: Path, tmp_path: Path
) -> None:
    """Else a look is shown, the line that was there before it taken out again, and none knows."""
    place, data = Workspace(tmp_path), split(bars, tmp_path / "data", "40,40,20")
    use = Use.of("try", "mine", data, data.select("explore"))
    usage.record(place, use, 1)  # by whoever has a shell: no audit row
    told: list[dict[str, Any]] = []
    usage.record(place, use, 2, told.append)
    (path,) = place.experiments.glob("looked_at.jsonl")
    (line,) = path.read_bytes().splitlines()
    assert [row["evidence"]["row_hash"] for row in told] == [json.loads(line)["row_hash"]]
    rows = [{"seq": 7, "table": "control_log", "row": {**told[0], "evidence": "{}"}}]
    assert not usage.is_noted(rows, told[0])
    rows[0]["row"]["evidence"] = json.dumps(told[0]["evidence"])
    assert usage.is_noted(rows, told[0])
    path.write_bytes(b"")
    assert usage.lost(place, usage.recorded(rows))


def test_a_torn_or_foreign_line_costs_no_other(bars: Path, tmp_path: Path) -> None:
    place, data = Workspace(tmp_path), load(bars)
    path = place.experiments / usage.FILE
    path.parent.mkdir(parents=True)
    legacy = {"alpha_id": "a", "content": data.content, "first": 1, "last": 2, "ts_ns": 3}
    lines = [json.dumps(legacy), "[]", '{"parts": 3}', "7", '{"alpha_id": "to']
    path.write_text("\n".join(lines))
    usage.record(place, Use.of("try", "b", data, data), 4)
    found = usage.uses(place, data)
    assert [use.alpha_id for use in found] == ["a", "b"], "the old file counts beside the chain"
    assert usage.looks(found) == ((1, 2), (data.sessions[0], data.sessions[-1]))


def test_a_market_is_known_again_by_its_days_and_prices(bars: Path) -> None:
    whole = load(bars)
    mine = Footprint.of(whole)
    frame = whole.frame
    others = {
        "every third row": frame.gather_every(3),
        "some columns": frame.select("ts", "session", "mid", "ofi"),
        "some days": frame.filter(pl.col("session") > whole.sessions[30]),
        "other prices of the same book": frame.drop("mid"),
        "mornings": frame.group_by("session", maintain_order=True).head(100),
    }
    for name, rows in others.items():
        other = Footprint.of(load(rows))
        assert other.same_market(mine) and mine.same_market(other), name
    elsewhere = planted(0.05, days=DAYS, seed=2)
    assert not Footprint.of(load(elsewhere)).same_market(mine)
    later = frame.with_columns(pl.col("ts").dt.offset_by("400d")).drop("session")
    assert Footprint.of(load(later)).same_market(mine), "under other dates"
    assert Footprint.read(json.loads(json.dumps(mine.to_dict()))) == mine
    panel = {
        name: Footprint(mine.days, names) for name, names in [("ab", ("a", "b")), ("c", ("c",))]
    }
    assert not panel["ab"].same_market(panel["c"]) and panel["ab"].same_market(mine)


@pytest.mark.parametrize(
    ("first", "kind", "second", "said"),
    [
        ("40,40,20", "try", "1,98,1", "explore"),
        ("40,40,20", "validate", "1,98,1", "explore"),
        ("40,40,20", "validate", "98,1,1", "kept back as vault"),
        ("40,40,20", "validate", "40,60,0", "kept back as vault"),
        ("98,1,1", "try", "40,40,20", "explore"),
        ("40,40,20", "validate", "40,40,20", ""),
        ("40,40,20", "validate", "50,30,20", ""),
        ("40,40,20", "vault", "90,5,5", "vault"),
    ],
)
def test_another_split_does_not_make_sessions_fresh(
    first: str, kind: Kind, second: str, said: str, bars: Path, tmp_path: Path
) -> None:
    place = Workspace(tmp_path / "desk")
    before = split(bars, tmp_path / "one", first)
    part = {"try": "explore"}.get(kind, kind)
    used(place, kind, before, part)
    after = split(bars, tmp_path / "two", second)
    assert before.content != after.content or first == second
    told = objections(place, after)
    assert said in told and bool(told) is bool(said), told


def test_data_without_splits_does_not_go_round_a_split(bars: Path, tmp_path: Path) -> None:
    place, raw = Workspace(tmp_path / "desk"), load(bars)
    assert objections(place, raw) == ""
    usage.record(
        place, Use("try", "mine", raw.content, (raw.sessions[0], raw.sessions[9]), None), 1
    )
    assert objections(place, raw) == "", "what is looked at of such data is shown, not refused"
    assert usage.looks(usage.uses(place, raw)) == ((raw.sessions[0], raw.sessions[9]),)
    used(place, "validate", split(bars, tmp_path / "one", "40,40,20"), "validate")
    told = objections(place, raw)
    assert "explore" in told and "vault" in told


def test_a_vault_moves_forward_with_time_unless_somebody_looked(bars: Path, tmp_path: Path) -> None:
    """Forty days with a vault of eight; later fifty days whose vault lies behind those eight."""
    place = Workspace(tmp_path / "desk")
    young = split(bars, tmp_path / "young", "40,40,20", last=40)
    used(place, "validate", young, "validate")
    grown = split(bars, tmp_path / "grown", "40,44,16")
    assert young.splits and grown.splits
    assert grown.splits.part("vault").first > young.splits.part("vault").last
    assert "explore" not in objections(place, grown) and objections(place, grown) == ""
    used(place, "validate", grown, "validate")
    stale = usage.not_fresh(usage.uses(place, young), young.select("vault"))
    assert "were judged as validate" in stale[0], "the old vault is none any more"
    used(place, "vault", young, "vault")
    assert "looked at as vault" in objections(place, grown)


def test_other_markets_and_other_workspaces_do_not_matter(bars: Path, tmp_path: Path) -> None:
    place = Workspace(tmp_path / "desk")
    used(place, "try", split(bars, tmp_path / "one", "98,1,1"), "explore")
    other = tmp_path / "other.parquet"
    planted(0.05, days=DAYS, seed=2).write_parquet(other)
    assert objections(place, split(other, tmp_path / "two", "40,40,20")) == ""
    assert objections(Workspace(tmp_path), split(bars, tmp_path / "three", "40,40,20")) == ""


@pytest.fixture
def desk(tmp_path: Path, bars: Path) -> Path:
    root = tmp_path / "desk"
    research.init(root)
    research.scaffold("mine", source="order_flow_imbalance", horizon="1min", root=root)
    for name, shares in (("fair", "40,40,20"), ("wide", "98,1,1"), ("early", "1,98,1")):
        research.make_features([str(bars)], root / name, horizons="1min", split=shares)
    return root


def judged(root: Path, folder: str) -> Validation:
    only: dict[str, Any] = {"gate_b.runs_min": 1.0}
    return validate(
        "mine", str(root / folder), root=root, profile="base", skip_gate_b_tests=True, set=only
    )


def test_validation_and_search_refuse_what_was_seen_and_show_what_was_looked_at(
    desk: Path,
) -> None:
    research.try_("mine", str(desk / "fair"), root=desk)
    first = judged(desk, "fair")
    assert first.scorecard is not None and first.gates[0].verdict is not Verdict.FAIL
    looked = first.scorecard.values["looked_at"]
    assert len(looked) == 1 and looked[0][1] < load(desk / "fair").select("validate").sessions[0]
    count = first.scorecard.values["n_trials"]
    for folder in ("early", "wide"):
        again = judged(desk, folder)
        rows = next(check for check in again.gates[0].checks if check.id == "rows_of_validate")
        assert rows.verdict is Verdict.FAIL and again.scorecard is None, folder
        assert "in this workspace" in rows.reason
        with pytest.raises(ValidationError, match="in this workspace"):
            search(str(desk / folder), returns_field="mid", trials=2, root=desk)
    assert len(usage.uses(Workspace(desk), load(desk / "early"))) == 2, "what is refused is no use"
    found = search(str(desk / "fair"), returns_field="mid", trials=3, root=desk)
    assert f"{count} more on this data and label" in found.price


def test_a_file_of_uses_that_was_taken_away_makes_nothing_pass_and_verify_names_it(
    desk: Path,
) -> None:
    path = desk / "research/experiments" / usage.FILE
    research.try_("mine", str(desk / "fair"), root=desk)
    assert audit.verify(desk).ok
    first = path.read_bytes()
    for content in (None, b"", first.replace(b'"try"', b'"tri"'), first[: len(first) // 2]):
        path.unlink()
        if content is not None:
            path.write_bytes(content)
        rows = next(c for c in judged(desk, "early").gates[0].checks if c.id == "rows_of_validate")
        assert rows.verdict is Verdict.FAIL and usage.FILE in rows.reason
        with pytest.raises(ValidationError, match=usage.FILE):
            search(str(desk / "fair"), returns_field="mid", trials=2, root=desk)
        (found,) = audit.verify(desk).findings
        assert (found.code, Path(found.place).name) == ("LOOKED_AT_CHANGED", usage.FILE)
        path.write_bytes(first)


def test_trials_count_on_the_sessions_they_share_whatever_the_split(desk: Path) -> None:
    first = judged(desk, "fair")
    assert first.scorecard is not None
    research.make_features(
        [str(desk / "fair")], desk / "later", horizons="1min", split="50,30,20", columns="ofi"
    )
    second = judged(desk, "later")
    assert second.scorecard is not None
    assert second.scorecard.values["data_fingerprint"] != first.scorecard.values["data_fingerprint"]
    assert second.scorecard.values["n_trials"] == 2 * first.scorecard.values["n_trials"]

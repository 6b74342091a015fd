"""A report on the simulated venue counts where its runs give its figures again, and not else."""

import json
import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import hft
from hft.api.desk import open_desk
from hft.cli.app import run
from hft.core.errors import DataError
from hft.governance import provenance
from hft.governance.gates import e
from hft.governance.gates.origins import Origins
from hft.governance.profile import Profile
from hft.governance.simulator import orders, report
from hft.governance.simulator.figures import fill_figures, latency_figures, queue_figures, ratio
from hft.governance.verdict import Verdict
from hft.runs.ingest import synthetic
from hft.runs.result import Run
from hft.settings import packaged_profile

DAY = orders.DAY_NS
STANDARD = Profile.from_dict(packaged_profile("standard"), "standard")


def side(*rows: tuple[int, int, int, int | None], bps: float = 0.0) -> pl.DataFrame:
    """Orders of (sent, lots, filled lots, acked after): one a nanosecond of a day."""
    return pl.DataFrame(
        [
            {
                "order_id": str(k),
                "symbol": "X",
                "side": "BUY" if k % 2 else "SELL",
                "lots": lots,
                "price": 100.0,
                "sent_ns": sent,
                "acked_ns": None if after is None else sent + after,
                "filled_ns": sent + 5_000_000 if filled else None,
                "filled_lots": filled,
                "filled_price": 100.0 * (1 + (bps if k % 2 else -bps) / 1e4) if filled else None,
                "mid": 100.0 if filled else None,
                "day": sent // DAY,
            }
            for k, (sent, lots, filled, after) in enumerate(rows)
        ],
        schema={**orders.OWN, "day": pl.Int64},
    )


def test_fills_are_compared_on_the_sessions_that_both_have() -> None:
    own = side((1, 2, 2, 10**6), (2, 2, 0, 10**6), (DAY + 1, 2, 1, None), (9 * DAY, 1, 1, 10**6))
    model = side((1, 2, 2, None), (2, 2, 2, None), (DAY + 1, 2, 2, None), bps=1.5)
    found = fill_figures(own, model)
    assert found["sessions"] == 2 and found["orders"] == [3, 3], "the ninth day has one side"
    assert found["fills_ratio"]["value"] == 3 / 2 and found["lots_ratio"]["value"] == 6 / 3
    assert found["fill_share"] == [3 / 6, 1.0]
    assert found["slippage_bps"][0] == 0.0
    assert found["slippage_bps"][1] == pytest.approx(1.5)
    with pytest.raises(DataError, match="no session of one instrument in common"):
        fill_figures(own, model.with_columns(symbol=pl.lit("Y")))


def test_orders_of_one_time_price_and_size_end_alike_or_do_not() -> None:
    truth = side((1, 1, 1, None), (2, 1, 0, None), (3, 1, 0, None), (4, 1, 1, None))
    model = side((1, 1, 1, None), (2, 1, 1, None), (3, 1, 0, None), (5, 1, 1, None))
    later = pl.col("filled_ns") + pl.when(pl.col("sent_ns") == 1).then(3_000_000).otherwise(0)
    found = queue_figures(truth, model.with_columns(filled_ns=later))
    assert found["orders_alike"] == 3, "the fourth was sent at another time"
    assert found["ended_alike"] == pytest.approx(2 / 3)
    assert found["filled_by_the_model_alone"] == pytest.approx(1 / 3)
    assert found["filled_in_truth_alone"] == 0.0
    assert found["first_fill_apart_ms_p50"] == 3.0


def test_latency_is_of_orders_that_were_acknowledged() -> None:
    own = side((1, 1, 0, 4_000_000), (2, 1, 0, None), (3, 1, 0, 6_000_000))
    found = latency_figures(own, side((1, 1, 0, 5_000_000)))
    assert found["orders"] == [2, 1] and found["ack_ms_p50"] == [5.0, 5.0]
    with pytest.raises(DataError, match="there is no latency"):
        latency_figures(own, side((1, 1, 0, None)))


def test_an_interval_of_a_ratio_holds_the_truth_as_often_as_it_says() -> None:
    import numpy as np

    stream, held = np.random.Generator(np.random.Philox(7)), 0
    for _ in range(400):
        own = stream.poisson(50, 40)
        found = ratio(own, stream.binomial(own, 0.8))
        held += found["low"] <= 0.8 <= found["high"]
    assert 0.92 <= held / 400 <= 0.98
    assert ratio([0, 0], [1, 2])["value"] is None and ratio([2], [3])["low"] is None


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A rehearsal with an exact run, one of a model, and orders that stand for own ones."""
    root = tmp_path_factory.mktemp("simulator") / "desk"
    hft.alpha.init(root, rehearsal=True)
    for kind in ("l3", "l2"):
        synthetic(out=root / "tapes" / kind, events=20_000, seed=3, kind=kind)
    for kind, queue, out in (("l3", "fifo", "runs"), ("l2", "prob_log", "runs")):
        venue = {"queue": queue, "latency": {"entry": "5ms", "response": "5ms"}}
        hft.replay(root / "tapes" / kind, "two_sided", venue=venue, out=root / out)
    (exact,) = [one for one in runs(root) if report._exact(Run.open(one))]
    own = orders.of_run(Run.open(exact)).drop("day")
    own.with_columns(order_id="o" + pl.col("order_id")).write_csv(root / "own.csv")
    return root


def runs(root: Path) -> list[Path]:
    return sorted(path for path in (root / "runs").iterdir() if path.is_dir())


@pytest.fixture
def desk(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = Path(shutil.copytree(made, tmp_path / "desk", symlinks=True))
    monkeypatch.chdir(root)
    return root


def written(root: Path, **more: Any) -> dict[str, Any]:
    given = {"own": [root / "own.csv"], "source": "the log of our desk", **more}
    return hft.alpha.simulator("planted", [root / "runs"], root=root, **given)


def found(root: Path, rehearsal: bool = False) -> report.Found:
    return report.on_file(root, open_desk(root).keys, rehearsal=rehearsal)


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tapes of a market; what a tape is said to be has tests of its own."""
    monkeypatch.setattr(
        provenance, "of_tape", lambda tape, known: provenance.Origin("", "recorded")
    )


@pytest.mark.usefixtures("recorded")
def test_what_the_command_wrote_is_made_again_and_counts(
    desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["alpha", "simulator", "planted", "runs", "--own", "own.csv", "--source", "our log"]
    assert run(words) == 0
    told = capsys.readouterr().out
    assert "fills    " in told and "signed by" in told
    assert found(desk) == report.Found(report.sha256_of(desk))
    saved = json.loads((desk / report.FOLDER / "planted.json").read_text())
    assert saved["latency_against_own"]["ack_ms_p50"] == [10.0, 10.0]
    assert saved["model"]["queue"] == "prob_log"
    assert saved["fills_against_live"]["orders"][0] == len(pl.read_csv("own.csv"))


def forged(root: Path, change: Any) -> None:
    """The report with a change, signed again by whoever holds a key."""
    from hft.audit.sign import sign

    path = root / report.FOLDER / "planted.json"
    told = json.loads(path.read_text())
    told.pop("signature")
    change(told)
    key = next((root / ".state" / "keys").glob("*.pub")).with_suffix("")
    path.write_text(json.dumps(told | {"signature": sign(report._payload(told), key)}))


def better(told: dict[str, Any]) -> None:
    told["fills_against_live"]["fills_ratio"]["value"] = 1.0001


@pytest.mark.usefixtures("recorded")
@pytest.mark.parametrize(
    ("change", "said"),
    [
        (better, "fills_against_live.fills_ratio.value: is not what its runs give"),
        (lambda told: told["inputs"]["runs"].pop(), "there is no run with"),
        (lambda told: told["inputs"]["own"].clear(), "there are no own orders"),
        (lambda told: told["inputs"].update(says="synthetic"), "said to be synthetic"),
        (lambda told: told["model"].update(queue="fifo"), "model.queue: is not what its runs give"),
        (lambda told: told.update(kind="mine"), "is no report that"),
        (
            lambda told: told["inputs"]["runs"][0].update(digest="0" * 64),
            "is not the run of digest",
        ),
    ],
)
def test_a_report_that_was_written_by_hand_is_refused(desk: Path, change: Any, said: str) -> None:
    written(desk)
    forged(desk, change)
    refused = found(desk)
    assert refused.sha256 is None and said in refused.words
    rehearsed = found(desk, rehearsal=True)
    assert rehearsed.sha256 == report.sha256_of(desk) and rehearsed.words == refused.words


@pytest.mark.usefixtures("recorded")
@pytest.mark.parametrize("part", ["orders", "signature", "fills", "run"])
def test_a_report_whose_runs_orders_or_signature_moved_is_refused(desk: Path, part: str) -> None:
    written(desk)
    path = desk / report.FOLDER / "planted.json"
    match part:
        case "orders":
            (desk / "own.csv").write_text((desk / "own.csv").read_text().replace("BUY", "SELL"))
        case "signature":
            told = json.loads(path.read_text())
            path.write_text(json.dumps(told | {"source": "somebody else"}))
        case "fills":
            fills = runs(desk)[0] / "events.parquet"
            frame = pl.read_parquet(fills)
            frame.filter(pl.col("event") != "FILL").write_parquet(fills)
        case "run":
            shutil.rmtree(runs(desk)[0])
    assert found(desk).sha256 is None and found(desk).words


def test_a_placeholder_and_synthetic_tapes_count_in_a_rehearsal_only(desk: Path) -> None:
    assert "no simulator validation report" in found(desk).words
    written(desk, own=[runs(desk)[0]], says="synthetic")
    assert found(desk).sha256 is None and "said to be synthetic" in found(desk).words
    written(desk)
    assert "is synthetic" in found(desk).words, "its tapes"
    note = {part: {"note": "rehearsal"} for part in report.PARTS}
    (desk / report.FOLDER / "planted.json").write_text(json.dumps(note))
    assert "is no report that" in found(desk).words and found(desk).sha256 is None
    (rehearsed, elsewhere) = [
        next(one for one in gate.checks if one.id == "simulator_validation")
        for one in (True, False)
        for words in [found(desk, rehearsal=one)]
        for gate in [
            e.evaluate(
                e.Shadow(
                    simulator_sha256=words.sha256,
                    simulator_words=words.words,
                    origins=Origins(rehearsal=one),
                ),
                STANDARD,
            )
        ]
    ]
    assert not rehearsed.applicable and "a rehearsal; elsewhere" in rehearsed.reason
    assert (
        elsewhere.verdict is Verdict.INSUFFICIENT and "hft alpha simulator" in elsewhere.missing[0]
    )


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"filled_lots": 9}, "row 1: filled_lots"),
        ({"side": "buy"}, "row 1: side"),
        ({"acked_ns": 0}, "row 1: acked_ns"),
        ({"filled_ns": None}, "row 1: filled_ns"),
        ({"mid": -1.0}, "row 1: mid"),
    ],
)
def test_a_row_that_is_no_order_is_named(
    tmp_path: Path, changed: dict[str, Any], said: str
) -> None:
    frame = side((1, 1, 1, 5), (2, 1, 0, 5)).drop("day")
    first = pl.when(pl.int_range(pl.len()) == 0)
    kinds = {name: pl.lit(one, dtype=orders.OWN[name]) for name, one in changed.items()}
    moved = frame.with_columns(
        first.then(one).otherwise(pl.col(name)).alias(name) for name, one in kinds.items()
    )
    moved.write_parquet(tmp_path / "own.parquet")
    with pytest.raises(DataError, match=said):
        orders.of_table(tmp_path / "own.parquet")
    with pytest.raises(DataError, match="mid: there is no such column"):
        frame.drop("mid").write_parquet(tmp_path / "less.parquet")
        orders.of_table(tmp_path / "less.parquet")
    with pytest.raises(DataError, match="is no table of own orders"):
        orders.of_table(tmp_path / "nowhere.csv")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--source", "x"), 65, "no own orders"),
        (("--own", "own.csv"), 78, "--source"),
        (("--own", "own.csv", "--source", "x", "--as", "guessed"), 78, "--as guessed"),
        (("--own", "nowhere.csv", "--source", "x"), 65, "nowhere.csv"),
    ],
)
def test_what_cannot_be_reported_is_a_sentence(
    desk: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], code: int, said: str
) -> None:
    assert run(["alpha", "simulator", "planted", "runs", *words]) == code
    assert said in capsys.readouterr().err
    assert not (desk / report.FOLDER / "planted.json").exists()

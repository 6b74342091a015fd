"""Trials in the ledger: what is the same trial, what counts, what is written before it is said."""

import hashlib
import json
import pickle
import resource
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from hft.core.errors import JournalError, ValidationError
from hft.governance.ledger.ledger import Ledger
from hft.governance.ledger.writer import writer_id
from hft.research.trial import FIELDS, Trial, trial_id
from tests.governance.ledger.ledgers import DAY_NS, NOW_NS, START_NS, YEAR, filled, returns, trial

CONTRACT_FIELDS = {
    *("writer_id", "seq", "ts_ns", "prev_hash", "row_hash", "trial_id", "alpha_id", "family"),
    *("label_family", "data_interval", "config_hash", "data_hash", "code_hash"),
    *("sharpe_per_period", "n_obs", "skew", "kurtosis", "returns_sha256", "source", "seed"),
}


def test_a_row_has_exactly_the_fields_of_the_contract(tmp_path: Path) -> None:
    filled(tmp_path, 1)
    (line,) = (tmp_path / "me.jsonl").read_text().splitlines()
    assert set(json.loads(line)) == CONTRACT_FIELDS
    assert set(FIELDS) - CONTRACT_FIELDS == {"reentry"}, "said after a rollback alone"


def test_the_figures_of_a_row_are_those_of_its_returns(tmp_path: Path) -> None:
    ledger = filled(tmp_path, 1)
    row = ledger.trials().row(0, named=True)
    r = returns(0)
    z = (r - r.mean()) / r.std()
    assert row["sharpe_per_period"] == pytest.approx(r.mean() / r.std(ddof=1), rel=1e-12)
    assert row["kurtosis"] == pytest.approx(np.mean(z**4), rel=1e-12)  # 3 for a normal
    assert row["skew"] == pytest.approx(np.mean(z**3), rel=1e-9)
    assert row["n_obs"] == 120
    assert row["returns_sha256"] == hashlib.sha256(r.astype("<f8").tobytes()).hexdigest()


def test_the_id_depends_on_form_data_config_and_code_and_on_nothing_else() -> None:
    base = trial(1)
    same = {"alpha_id": "other", "seed": 7, "returns": returns(99), "family": "x", "source": "rl"}
    assert trial(1, **same).id == base.id == trial_id("ts_mean(ofi, 2)", "da7a", "c0ffee", "c0de")
    for name in ("canonical", "data_hash", "config_hash", "code_hash"):
        assert trial(1, **{name: "another"}).id != base.id
    # Moving a letter from one part to the next is another trial.
    assert trial_id("ab", "c", "d", "e") != trial_id("a", "bc", "d", "e")


def test_the_same_id_with_other_returns_is_another_trial(tmp_path: Path) -> None:
    ledger = filled(tmp_path, 2)
    ledger.append([trial(0, returns=returns(77)), trial(0, returns=returns(77))], NOW_NS + 1)
    frame = ledger.trials()
    assert frame.height == 3 and frame["repeats"].to_list() == [0, 0, 1]
    view = ledger.family(label_family="fwd_5s", interval=YEAR)
    assert view.n == 3 and len(view.vectors) == 3


def test_a_repeat_is_recorded_and_counts_once(tmp_path: Path) -> None:
    ledger = filled(tmp_path, 3)
    again = ledger.append([trial(1), trial(5), trial(5)], NOW_NS + 1)
    assert [one.repeat for one in again] == [True, False, True]
    assert [one.seq for one in again] == [4, 5, 6]
    frame = ledger.trials()
    assert frame.height == 4 and frame["repeats"].to_list() == [0, 1, 0, 1]
    assert Ledger.open(tmp_path, writer="other").append([trial(0)], NOW_NS)[0].repeat


def test_the_first_record_of_a_trial_is_the_one_that_counts(tmp_path: Path) -> None:
    Ledger.open(tmp_path, writer="late").append([trial(1, alpha_id="late")], NOW_NS + 5)
    Ledger.open(tmp_path, writer="zz_early").append([trial(1, alpha_id="early")], NOW_NS)
    assert Ledger.open(tmp_path).trials()["alpha_id"].to_list() == ["early"]


@pytest.mark.parametrize(
    "broken", [[], [0.1, float("nan")], [float("inf"), 0.1], np.zeros(50), [0.3], [1e300, -1e300]]
)
def test_an_evaluation_without_usable_returns_is_a_trial_all_the_same(
    tmp_path: Path, broken: list[float]
) -> None:
    ledger = Ledger.open(tmp_path, writer="me")
    ledger.append([trial(0), trial(1, returns=np.array(broken))], NOW_NS)
    assert ledger.trials().height == 2
    assert ledger.trials()["sharpe_per_period"].is_null().to_list() == [False, True]
    seen = ledger.family(label_family="fwd_5s", interval=YEAR)
    assert seen.n == 2 and seen.effective == 1.0 and seen.hurdle == 0.0
    assert ledger.verify() == []


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"family": ""}, "family"),
        ({"code_hash": None}, "code_hash"),
        ({"interval": (5, 4)}, "interval"),
        ({"interval": (-1, 4)}, "interval"),
        ({"source": "guess"}, "search, validate"),
        ({"seed": -1}, "seed"),
        ({"seed": 2**63}, "seed"),
        ({"returns": np.zeros((2, 2))}, "one series"),
        ({"returns": ["a"]}, "not numbers"),
        ({"periods_per_year": 0.0}, "periods"),
        ({"periods_per_year": float("nan")}, "periods"),
        ({"periods_ns": np.array([1, 2])}, "periods_ns"),
        ({"periods_ns": np.zeros(120)}, "rising"),
    ],
)
def test_a_trial_that_says_too_little_is_refused(changes: dict, word: str) -> None:
    with pytest.raises(ValidationError, match=word):
        trial(0, **changes)


def test_n_is_every_trial_on_the_same_label_and_overlapping_data(tmp_path: Path) -> None:
    ledger = Ledger.open(tmp_path, writer="me")
    start, end = YEAR
    ledger.append(
        [
            trial(0),
            trial(1, family="another"),
            trial(2, label_family="fwd_60s"),
            trial(3, interval=(end, end + DAY_NS)),  # begins where the other ends
            trial(4, interval=(end - 1, end + DAY_NS)),
            trial(5, interval=(start, start)),
            trial(6, interval=(start - DAY_NS, start)),  # ends where the other begins
        ],
        NOW_NS,
    )
    seen = ledger.family(label_family="fwd_5s", interval=YEAR)
    assert set(seen.vectors) == {trial(number).id for number in (0, 1, 4, 5)}
    other = trial(4, interval=(end - 1, end + DAY_NS))
    assert trial(4).id == other.id  # the interval is part of the data hash, not of the id
    assert ledger.family("another", label_family="fwd_5s").n == 1
    assert ledger.trials(since_ns=NOW_NS + 1).height == 0


def test_the_vectors_come_back_bit_by_bit(tmp_path: Path) -> None:
    ledger = filled(tmp_path, 4)
    ledger.append([trial(9)], NOW_NS)
    for reader in (ledger, Ledger.open(tmp_path)):
        found = reader.vectors([trial(9).id, trial(2).id, "unknown"])
        assert list(found) == [trial(9).id, trial(2).id]
        assert found[trial(9).id].tobytes() == returns(9).tobytes()
        assert found[trial(2).id].tobytes() == returns(2).tobytes()


def test_returns_are_one_compressed_arrow_file_a_batch_named_by_content(tmp_path: Path) -> None:
    ledger = filled(tmp_path, 4)
    ledger.append([trial(9)], NOW_NS)
    single = tmp_path / "returns" / f"{trial(9).returns_sha256}.arrow"
    names = sorted(path.name for path in (tmp_path / "returns").iterdir())
    assert len(names) == 2 and single.name in names
    table = pa.ipc.open_file(single).read_all()
    assert table.column("returns").to_pylist() == [returns(9).tolist()]
    before = single.stat().st_mtime_ns
    ledger.append([trial(9)], NOW_NS)
    assert single.stat().st_mtime_ns == before, "the same content is not written again"
    assert len(list((tmp_path / "returns").iterdir())) == 2


def test_another_reader_sees_what_was_added_since_it_looked(tmp_path: Path) -> None:
    reader = Ledger.open(tmp_path, writer="reader")
    assert reader.trials().height == 0 and reader.heads() == {}
    ledger = filled(tmp_path, 2)
    assert reader.trials().height == 2
    filled(tmp_path, 3, writer="third")
    ledger.append([trial(7)], NOW_NS)
    assert reader.trials().height == 4
    (tmp_path / "third.jsonl").unlink()
    assert reader.trials().height == 3


def test_reading_makes_nothing(tmp_path: Path) -> None:
    ledger = Ledger.open(tmp_path / "research" / "ledger")
    assert ledger.trials().height == 0 and ledger.verify() == [] and ledger.heads() == {}
    assert ledger.append([], NOW_NS) == []
    assert not (tmp_path / "research").exists()


def test_a_checkout_that_was_copied_is_another_writer(tmp_path: Path) -> None:
    first = tmp_path / "one" / "research" / "ledger"
    Ledger.open(first).append([trial(0)], NOW_NS)
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    second = Ledger.open(tmp_path / "two" / "research" / "ledger")
    second.append([trial(1)], NOW_NS)
    assert writer_id(first) == Ledger.open(first).writer != second.writer
    assert set(second.heads()) == {writer_id(first), second.writer}
    (tmp_path / "link").symlink_to(tmp_path / "one")
    assert writer_id(tmp_path / "link" / "research" / "ledger") == writer_id(first)
    assert len(second.writer) == 16 and "one" not in second.writer


APPEND = """
import sys
from hft.governance.ledger.ledger import Ledger
from tests.governance.ledger.ledgers import NOW_NS, trial
ledger = Ledger.open(sys.argv[1])
first = int(sys.argv[2])
for number in range(first, first + 40, 2):
    ledger.append([trial(number), trial(number + 1)], NOW_NS)
"""


def test_two_processes_of_one_writer_share_its_chain(tmp_path: Path) -> None:
    processes = [
        subprocess.Popen([sys.executable, "-c", APPEND, str(tmp_path), str(first)])
        for first in (0, 30)
    ]
    assert [process.wait(120) for process in processes] == [0, 0]
    ledger = Ledger.open(tmp_path)
    (head,) = ledger.heads().values()
    assert head["seq"] == 80 and ledger.trials().height == 70
    assert ledger.trials()["repeats"].sum() == 10
    assert ledger.verify(ledger.heads()) == []


def test_nothing_is_recorded_when_its_returns_cannot_be_kept(tmp_path: Path) -> None:
    ledger = filled(tmp_path, 2)
    (tmp_path / "returns").rename(tmp_path / "away")
    (tmp_path / "returns").write_text("not a folder")
    with pytest.raises(JournalError, match="nothing was recorded"):
        ledger.append([trial(5)], NOW_NS)
    assert ledger.heads()["me"]["seq"] == 2
    (tmp_path / "returns").unlink()
    (tmp_path / "away").rename(tmp_path / "returns")
    assert ledger.append([trial(5)], NOW_NS)[0].seq == 3 and ledger.verify() == []


def test_returns_that_were_damaged_are_written_again_by_the_same_trial(tmp_path: Path) -> None:
    ledger = filled(tmp_path, 1)
    (path,) = (tmp_path / "returns").iterdir()
    path.write_bytes(path.read_bytes()[:-20])
    assert ledger.verify()
    ledger.append([trial(0)], NOW_NS)
    assert ledger.verify() == []


def test_a_trial_is_what_it_was_when_its_array_changes_later(tmp_path: Path) -> None:
    mine = returns(3)
    one = Trial(**{**vars(trial(3)), "returns": mine})
    before = one.returns_sha256
    mine[0] = 5.0
    assert one.returns_sha256 == before
    ledger = Ledger.open(tmp_path)
    ledger.append([one], START_NS)
    assert ledger.verify() == []


def test_threads_may_share_a_ledger_and_a_process_may_be_given_one(tmp_path: Path) -> None:
    ledger = Ledger.open(tmp_path)
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda n: ledger.append([trial(n % 20)], NOW_NS), range(60)))
    assert sum(one.repeat for (one,) in done) == 40
    assert sorted(one.seq for (one,) in done) == list(range(1, 61))
    copy = pickle.loads(pickle.dumps(ledger))
    assert copy.writer == ledger.writer and copy.trials().equals(ledger.trials())
    assert copy.trials().height == 20 and copy.verify() == []


FILL = """
import sys
from hft.governance.ledger.ledger import Ledger
from hft.core.errors import JournalError
from tests.governance.ledger.ledgers import NOW_NS, trial
ledger, number = Ledger.open(sys.argv[1], writer="me"), 0
try:
    while True:
        done = ledger.append([trial(number), trial(number + 1)], NOW_NS)
        number += 2
        print(done[-1].seq, flush=True)
except JournalError as error:
    print(error)
    sys.exit(error.exit_code)
"""


@pytest.mark.parametrize(("limit", "what"), [(9_000, "kept"), (800, "nothing was recorded")])
def test_a_full_disk_keeps_what_was_acknowledged_and_claims_no_more(
    tmp_path: Path, limit: int, what: str
) -> None:
    def full() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    command = [sys.executable, "-c", FILL, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, preexec_fn=full)
    said = done.stdout.splitlines()
    assert done.returncode == 74 and what in said[-1] and not done.stderr
    acknowledged = int(said[-2]) if len(said) > 1 else 0
    ledger = Ledger.open(tmp_path, writer="me")
    assert ledger.trials().height == acknowledged and ledger.verify() == []
    assert ledger.append([trial(0)], NOW_NS)[0].seq == acknowledged + 1

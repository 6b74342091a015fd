"""Alphas of a workspace: found, loaded, refused with a sentence; and what their signal is."""

import math
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from hft.core.errors import ValidationError
from hft.research.alphas import loader, signals
from hft.research.alphas.ids import alpha_id, class_name
from hft.research.alphas.manifest import AlphaManifest
from hft.research.data.sample import sample
from hft.research.durations import duration_ns, duration_text
from hft.research.worker.roster import find, roster
from hft.research.workspace import Workspace

GOOD = """
from hft.research.alphas.manifest import AlphaManifest


class OneAlpha:
    manifest = AlphaManifest("{id}", "h", "f", (), ("ofi",), horizon_ns=1, owner="o", family="x")

    def reset(self):
        self.signal = 0.0

    def update(self, *, ofi):
        self.signal = ofi
        return ofi

    def get_signal(self):
        return self.signal
"""


def manifest(*fields: str) -> AlphaManifest:
    return AlphaManifest("mine", "h", "f", data_fields=fields, horizon_ns=1, owner="o", family="x")


def put(root: Path, name: str, text: str) -> Workspace:
    folder = root / "research" / "alphas" / name
    folder.mkdir(parents=True)
    (folder / "impl.py").write_text(text)
    return Workspace(root)


def test_each_folder_with_an_impl_is_an_alpha(tmp_path: Path) -> None:
    for name in ("b", "a"):
        workspace = put(tmp_path, name, GOOD.format(id=name))
    put(tmp_path, "_templates", "raise RuntimeError")
    found = roster(workspace)
    assert list(found.alphas) == ["a", "b"] and found.errors == ()
    assert found.alphas["a"].manifest.alpha_id == "a"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("import nowhere_to_be_found", "cannot be imported: ModuleNotFoundError"),
        ("def broken(:\n", "cannot be imported: SyntaxError"),
        ("raise SystemExit(3)", "cannot be imported: SystemExit"),
        ("x = 1", "holds no alpha"),
        ("ALPHA_CLASS = 3", "ALPHA_CLASS is not a class"),
        (GOOD.format(id="x") + "\n\nclass TwoAlpha(OneAlpha):\n    pass\n", "all fit; name one"),
        (GOOD.format(id="x").replace("def get_signal", "def other"), r"no method `get_signal\(\)`"),
        (
            GOOD.format(id="x").replace(
                "def reset(self)", "def __init__(self, a): pass\n\n    def reset(self)"
            ),
            "cannot be made without arguments",
        ),
        (
            GOOD.format(id="x").replace(
                "def reset(self)", "def __init__(self): 1 / 0\n\n    def reset(self)"
            ),
            "cannot be made: ZeroDivisionError",
        ),
        (GOOD.format(id="x").replace("horizon_ns=1", "horizon_ns='soon'"), "horizon_ns: 'soon'"),
    ],
)
def test_what_cannot_be_used_is_an_error_in_the_result(
    tmp_path: Path, text: str, sentence: str
) -> None:
    workspace = put(tmp_path, "x", text)
    put(tmp_path, "good", GOOD.format(id="good"))
    found = roster(workspace)
    assert list(found.alphas) == ["good"]
    with pytest.raises(ValidationError, match=sentence):
        raise ValidationError(found.errors[0])


def test_two_folders_with_one_id_are_told_apart(tmp_path: Path) -> None:
    put(tmp_path, "a", GOOD.format(id="same"))
    found = roster(put(tmp_path, "b", GOOD.format(id="same")))
    assert list(found.alphas) == ["same"] and "is already in" in found.errors[0]


def test_an_unknown_id_lists_the_known_ones(tmp_path: Path) -> None:
    workspace = put(tmp_path, "known", GOOD.format(id="known"))
    put(tmp_path, "broken", "import nowhere")
    with pytest.raises(
        ValidationError, match=r"no such alpha; there are known; not usable.*broken"
    ):
        find(workspace, "other")
    assert find(workspace, " Known ").alpha_id == "known"


def test_the_code_hash_is_of_the_whole_folder_but_its_words(tmp_path: Path) -> None:
    put(tmp_path, "a", GOOD.format(id="a"))
    folder = tmp_path / "research/alphas/a"
    before = loader.code_hash(folder)
    (folder / "README.md").write_text("words")
    (folder / "__pycache__").mkdir(exist_ok=True)
    (folder / "__pycache__" / "x.pyc").write_bytes(b"1")
    assert loader.code_hash(folder) == before
    (folder / "weights.json").write_text("[1]")
    assert loader.code_hash(folder) != before


def test_an_edit_is_seen_at_the_next_load(tmp_path: Path) -> None:
    workspace = put(tmp_path, "a", GOOD.format(id="a"))
    assert signals.evaluate(loader.load_folder(workspace.alphas / "a"), sample(50))[0] != -1.0
    path = tmp_path / "research/alphas/a/impl.py"
    path.write_text(path.read_text().replace("return ofi", "return -1.0"))
    assert set(signals.evaluate(loader.load_folder(workspace.alphas / "a"), sample(50))) == {-1.0}


@pytest.mark.parametrize(
    ("text", "expected"),
    [("My Alpha!", "my_alpha"), ("  OFI-v2 ", "ofi_v2"), ("__a__", "a"), ("9lives", "9lives")],
)
def test_any_text_becomes_an_id(text: str, expected: str) -> None:
    assert alpha_id(text) == expected
    assert class_name(expected).isidentifier()


@pytest.mark.parametrize("text", ["", "  ", "???", "search", "Status", "rl-promote", "evaluate"])
def test_an_id_that_could_not_be_asked_for_is_refused(text: str) -> None:
    with pytest.raises(ValidationError, match="alpha id"):
        alpha_id(text)


def test_a_manifest_says_what_it_lacks() -> None:
    problems = AlphaManifest("Mine", "", "f").problems()
    assert any("hypothesis is empty" in one for one in problems)
    assert any("horizon_ns is 0" in one for one in problems)
    assert any("should be written mine" in one for one in problems)
    assert manifest("ofi").problems() == []
    assert AlphaManifest("a", "h", "f", paper_refs="one").paper_refs == ("one",)  # type: ignore
    with pytest.raises(ValidationError, match="hypothesis: 3 is not a text"):
        AlphaManifest("a", 3, "f")  # type: ignore[arg-type]
    again = AlphaManifest.from_dict(manifest("ofi").to_dict())
    assert again == manifest("ofi")


@pytest.mark.parametrize("text", ["5s", "1min", "250ms", "2h", "1d", "30us"])
def test_durations_are_written_as_they_are_read(text: str) -> None:
    assert duration_text(duration_ns(text)) == text


def test_both_entries_of_an_alpha_agree() -> None:
    class Both:
        manifest = manifest("ofi")

        def reset(self) -> None:
            self.total = 0.0

        def update(self, *, ofi: float) -> float:
            self.total += ofi
            return self.total

        def signals(self, frame: pl.DataFrame) -> pl.Series:
            return frame["ofi"].cum_sum()

        def get_signal(self) -> float:
            return self.total

    data = sample(300)
    batch, stream = (signals.evaluate(Both, data, batch=one) for one in (True, False))
    assert signals.difference(batch, stream).largest < 1e-9
    stream[7] += 1.0
    found = signals.difference(batch, stream)
    assert found.row == 7 and found.largest == pytest.approx(1.0)
    stream[9] = math.nan
    assert signals.difference(batch, stream) == signals.Difference(math.inf, 9)
    batch = np.array(batch)
    batch[9] = math.nan
    assert signals.difference(batch, stream).row == 7


def test_a_batch_alpha_can_be_asked_row_by_row() -> None:
    class Batch:
        manifest = manifest("ofi")

        def signals(self, frame: pl.DataFrame) -> list[float]:
            return frame["ofi"].rolling_mean(3).fill_null(math.nan).to_list()

    data = sample(60)
    whole = signals.evaluate(Batch, data)
    found = signals.difference(signals.evaluate(Batch, data, batch=False), whole)
    assert found.largest < 1e-9 and np.isnan(whole[:2]).all()


@pytest.mark.parametrize("name", ["made", "cls", "folder", "signal", "stream", "batch"])
def test_an_alpha_may_call_its_own_attributes_what_it_likes(name: str) -> None:
    class Own:
        manifest = manifest("ofi")

        def reset(self) -> None:
            setattr(self, name, None)

        def update(self, *, ofi: float) -> float:
            setattr(self, name, Own)
            return ofi

    rows = sample(20, seed=3)
    mine = Own()
    for _ in range(2):  # the second time it has been run, and its attribute is a class
        assert signals.evaluate(mine, rows).tolist() == rows.field("ofi").tolist()


@pytest.mark.parametrize(
    "fields",
    [
        ("ofi", "mid"),
        ("mid", "ofi", "ofi"),  # a column twice is one argument
        ("two words", "class", "ofi", "ﬁn", "__debug__", "mid"),  # none but a dict can name them
    ],
)
def test_each_value_of_a_row_comes_under_its_name(fields: tuple[str, ...]) -> None:
    seen = []

    class Keeps:
        manifest = AlphaManifest("mine", "h", "f", data_fields=fields, horizon_ns=1)

        def update(self, **tick: float) -> float:
            seen.append(tick)
            return tick["ofi"]

    data = sample(5)
    values = {name: np.arange(5.0) + 10 * k for k, name in enumerate(sorted(set(fields)))}
    data = data.with_frame(data.frame.with_columns(pl.Series(n, v) for n, v in values.items()))
    assert np.array_equal(signals.evaluate(Keeps, data), values["ofi"])
    assert seen == [{name: values[name][row] for name in fields} for row in range(5)]


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ("three", "returned str"),
        ([1.0], r"returned 1 numbers for 40 rows"),
        (None, "returned"),
    ],
)
def test_an_answer_that_is_no_number_a_row_is_refused(answer: object, sentence: str) -> None:
    class Wrong:
        manifest = manifest("ofi")

        def signals(self, frame: pl.DataFrame) -> object:
            return answer

    with pytest.raises(ValidationError, match=sentence):
        signals.evaluate(Wrong, sample(40))


def test_an_alpha_that_raises_names_the_row() -> None:
    class Raises:
        manifest = manifest("ofi")
        rows = 0

        def reset(self) -> None:
            self.rows = 0

        def update(self, *, ofi: float) -> float:
            self.rows += 1
            if self.rows == 7:
                raise KeyError("seven")
            return ofi

        def get_signal(self) -> float:
            return 0.0

    with pytest.raises(ValidationError, match=r"'mine': update\(\) raised KeyError.* at row 7 \(2"):
        signals.evaluate(Raises, sample(40))


def test_the_five_examples_run_on_the_real_bars(shared_data: Path) -> None:
    from hft.research.alphas import examples
    from hft.research.data.load import load

    days = sorted((shared_data / "qqq_micro_bars_1m").glob("202401*.parquet"))
    data = load(days)
    found = [loader.load_folder(folder) for folder in examples.examples().values()]
    assert [one.alpha_id for one in found] == [
        *("microprice_reversion", "order_flow_imbalance", "queue_imbalance"),
        *("trade_sign_momentum", "vpin_conditioned_reversion"),
    ]
    for one in found:
        signal = signals.evaluate(one, data)
        assert one.manifest.problems() == ["owner is empty"]
        assert np.isfinite(signal).all() and signal.std() > 0.005 and abs(signal).max() <= 1.0
        assert (one.folder / "README.md").read_text().count("## ") >= 4

"""A manifest holds the text of the very code that runs, or there is no run."""

import importlib
import os
import sys
from contextlib import nullcontext
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path

import pytest
from manifest_entry import entry

from hft.core.errors import ConfigError
from hft.runs.code.captures import outside
from hft.runs.code.edits import refuse_edited
from hft.runs.code.sources import rebuild, strategies_in

BODY = """
import hft

def cap():
    '''A helper.'''
    return {n}

@hft.strategy(every="1s")
class Mine:
    def on_wake(self, view, order):
        order.quote(hft.BUY, view.bid_tick - {n}, 1)

@hft.strategy(every="1s")
def body(view, order, p, s):
    order.quote(hft.BUY, view.bid_tick - {n}, 1)
"""


def edited(path: Path, text: str, keep: bool = False) -> None:
    """Another text; `keep` dates it as the one before, as version control and copies may do."""
    before = path.stat()
    path.write_text(text)
    if keep:
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.parametrize("name", ["body", "Mine"])
@pytest.mark.parametrize("keep", [False, True])
def test_code_whose_file_was_edited_after_it_was_loaded_is_refused(tmp_path, name, keep):
    path = tmp_path / "mine.py"
    path.write_text(BODY.format(n=1))
    found = strategies_in(path)[name]
    refuse_edited(found.body)
    edited(path, BODY.format(n=2), keep)
    with pytest.raises(ConfigError, match=r"mine\.py: was edited after .* had loaded"):
        refuse_edited(found.body)
    refuse_edited(strategies_in(path)[name].body)


@pytest.mark.parametrize("text", ["# above\n" + BODY, "def\n", ""])
def test_lines_that_moved_and_a_file_that_is_no_python_are_edits_too(tmp_path, text):
    path = tmp_path / "mine.py"
    path.write_text(BODY.format(n=1))
    found = strategies_in(path)["body"]
    edited(path, text.format(n=1))
    with pytest.raises(ConfigError, match="was edited"):
        refuse_edited(found.body)


def test_an_edit_elsewhere_in_the_file_is_none_of_this_function(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(BODY.format(n=1))
    found = strategies_in(path)["body"]
    edited(path, BODY.format(n=1).replace("A helper", "Another") + "\nX = 1\n")
    refuse_edited(found.body)


class Rewrites(SourceFileLoader):
    """As libraries do that check types while the code runs."""

    def source_to_code(self, data, path, *, _optimize=-1):
        return super().source_to_code(bytes(data).replace(b"return 1", b"return 2"), path)


@pytest.mark.parametrize(("kind", "refused"), [(SourceFileLoader, True), (Rewrites, False)])
def test_a_loader_that_rewrites_code_is_not_taken_for_an_edit(tmp_path, kind, refused):
    path = tmp_path / "mine.py"
    path.write_text("def cap():\n    return 1\n")
    loader = kind("rewritten_mine", str(path))
    module = module_from_spec(spec_from_loader("rewritten_mine", loader))
    sys.modules["rewritten_mine"] = module
    loader.exec_module(module)
    refuse_edited(module.cap)
    path.write_text("def cap():\n    return 3\n")
    with pytest.raises(ConfigError) if refused else nullcontext():
        refuse_edited(module.cap)
    del sys.modules["rewritten_mine"]


@pytest.mark.parametrize(("one", "other"), [("1", "1.0"), ("0.0", "-0.0"), ("1", "True")])
def test_constants_that_are_equal_but_not_the_same_are_told_apart(tmp_path, one, other):
    path = tmp_path / "mine.py"
    path.write_text(BODY.format(n=one))
    found = strategies_in(path)["body"]
    edited(path, BODY.format(n=other))
    with pytest.raises(ConfigError, match="was edited"):
        refuse_edited(found.body)


def test_an_edit_of_the_same_length_and_date_is_the_text_of_the_next_load(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(BODY.format(n=1))
    assert "bid_tick - 1" in strategies_in(path)["body"].source
    edited(path, BODY.format(n=2), keep=True)
    found = strategies_in(path)["body"]
    refuse_edited(found.body)
    assert "bid_tick - 2" in found.source


def test_a_strategy_that_was_rebuilt_before_an_edit_is_rebuilt_from_its_text_after_it(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(BODY.format(n=1))
    made = strategies_in(path)["body"]
    stored = entry(made, path)
    assert rebuild("body", stored).source == made.source
    edited(path, "# above\n" + BODY.format(n=2))
    again = rebuild("body", stored)
    refuse_edited(again.body)
    assert again.source == stored["source"]


USES = """
import hft
{how}

@hft.strategy(every="1s")
class Mine:
    def on_wake(self, view, order):
        order.quote(hft.BUY, view.bid_tick - {name}cap(), 1)
"""


@pytest.mark.parametrize(
    ("how", "name"), [("from helper_of_mine import cap", ""), ("import helper_of_mine as h", "h.")]
)
def test_a_helper_edited_after_it_was_imported_is_refused_until_it_is_loaded_again(
    tmp_path, monkeypatch, how, name
):
    monkeypatch.syspath_prepend(str(tmp_path))
    helper, path = tmp_path / "helper_of_mine.py", tmp_path / "mine.py"
    helper.write_text("def cap():\n    return 1\n")
    path.write_text(USES.format(how=how, name=name))
    before = outside(strategies_in(path)["Mine"])
    edited(helper, "def cap():\n    return 2\n")
    with pytest.raises(ConfigError, match=r"helper_of_mine\.py: was edited"):
        outside(strategies_in(path)["Mine"])
    importlib.reload(sys.modules["helper_of_mine"])
    assert outside(strategies_in(path)["Mine"]) != before
    del sys.modules["helper_of_mine"]


def test_a_module_is_followed_into_what_is_used_of_it_in_other_files(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "helper_of_two.py").write_text(
        "from deep_of_two import D\ndef cap():\n    return D\n"
    )
    (tmp_path / "mine.py").write_text(USES.format(how="import helper_of_two as h", name="h."))
    said = []
    for n in (1, 22):
        (tmp_path / "deep_of_two.py").write_text(f"D = {n}\n")
        said.append(outside(strategies_in(tmp_path / "mine.py")["Mine"])["h.cap.D"])
        del sys.modules["helper_of_two"], sys.modules["deep_of_two"]
    assert said == ["1", "22"]

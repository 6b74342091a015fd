"""What a person is told of the compiler."""

import numba
import pytest

from hft.core.jit import JIT_DISABLED
from hft.runs.code.compilation import first_compile


@pytest.mark.skipif(JIT_DISABLED, reason="nothing is compiled")
@pytest.mark.parametrize("folder", ["", "empty"])
def test_a_machine_that_has_compiled_nothing_is_told_of_the_minute(tmp_path, monkeypatch, folder):
    monkeypatch.setattr(numba.config, "CACHE_DIR", folder and str(tmp_path))
    assert "compiling the engine" in first_compile()


def test_nothing_is_said_once_the_engine_is_in_the_cache():
    from hft.replay.compiled import loop

    loop()
    assert first_compile() == ""


@pytest.mark.nojit
def test_plain_python_has_nothing_to_compile(monkeypatch):
    monkeypatch.setattr("hft.core.jit.JIT_DISABLED", True)
    assert first_compile() == ""

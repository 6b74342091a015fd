"""The pytest plug-in: `pytest --hft-replays replays.yaml` has a test for each replay of the file.

pytest loads this wherever hft is installed, so nothing of hft is imported here: without the option
it adds one line to the help and nothing else.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

OPTION = "--hft-replays"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option."""
    parser.getgroup("hft").addoption(
        OPTION,
        metavar="FILE",
        action="append",
        default=None,
        help="test the replays of this file against what is blessed in it (hft replay check)",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Collect the files that are named, besides what pytest collects anyway."""
    given = config.getoption(OPTION)
    if not given:
        return
    files = [config.invocation_params.dir / name for name in given]
    named = {str(config.invocation_params.dir / arg.partition("::")[0]) for arg in config.args}
    config.args += [str(file) for file in files if str(file) not in named]
    config.pluginmanager.register(Collector({file.resolve() for file in files}))


class Collector:
    """Knows which files are files of replays."""

    def __init__(self, files: set[Path]) -> None:
        self.files = files

    def pytest_collect_file(self, file_path: Path, parent: pytest.Collector) -> "ReplayFile | None":
        """The collector of a file that was named."""
        if file_path.resolve() not in self.files:
            return None
        made: ReplayFile = ReplayFile.from_parent(parent, path=file_path)
        return made


class ReplayFile(pytest.File):
    """A file of replays; one that cannot be used is one sentence."""

    def collect(self) -> Iterator["Replay"]:
        """A test a replay."""
        from hft.core.errors import HftError
        from hft.runs.regression.file import read

        try:
            found = read(self.path)
            found.refuse_edited(set())
        except HftError as error:
            raise self.CollectError(str(error)) from None
        for spec in found.specs:
            yield Replay.from_parent(self, name=spec.name)


class Replay(pytest.Item):
    """One replay, run or answered as `hft replay check -k NAME` does."""

    def runtest(self) -> None:
        """Raises: NotAsBlessed with all that the check found, or why it could not look."""
        from hft.api.regression import check
        from hft.core.errors import HftError
        from hft.runs.regression.outcome import text_of

        try:
            found = check(self.path, self.name)[self.name]
        except HftError as error:
            raise NotAsBlessed(str(error)) from None
        if not found.ok:
            raise NotAsBlessed(text_of(found))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], *_: Any) -> Any:
        """What the check found, without a traceback through pytest and hft."""
        if isinstance(excinfo.value, NotAsBlessed):
            return str(excinfo.value)
        return super().repr_failure(excinfo)

    def reportinfo(self) -> tuple[Path, None, str]:
        """How pytest calls it."""
        return self.path, None, f"replay {self.name}"


class NotAsBlessed(Exception):
    """A replay that is not as blessed."""

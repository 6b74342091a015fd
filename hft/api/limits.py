"""Sets of limits from Python: by name, from a file, fitted to tapes; those a replay is given."""

from pathlib import Path
from typing import Any

from hft.core.errors import ConfigError
from hft.gateway.limits import Limits as LimitSet
from hft.runs.execute import job_of
from hft.runs.ingest import open_tapes
from hft.runs.limits import fit
from hft.runs.result import Run
from hft.settings import limits_path, read_limits
from hft.tape.dataset import Tapes


class Limits(LimitSet):
    """A set of limits: loaded by name or path, fitted to tapes, or off.

    >>> import hft
    >>> hft.Limits.research().get("max_position_size")
    'max(100 lots, 50 x touch)'
    """

    @classmethod
    def load(cls, name_or_path: str | Path) -> LimitSet:
        """A set of config/limits by name, or any YAML file. Raises: ConfigError."""
        if str(name_or_path) == "off":
            return cls.off()
        data = read_limits(name_or_path)
        try:
            return cls.from_dict(data, Path(name_or_path).stem)
        except ConfigError as error:
            raise ConfigError(f"{limits_path(name_or_path)}: {error}") from None

    @classmethod
    def research(cls) -> LimitSet:
        """The default of replays: relative to instrument and tape."""
        return cls.load("research")

    @classmethod
    def live(cls) -> LimitSet:
        """The default of paper and live; its required keys must be given."""
        return cls.load("live")

    @classmethod
    def fit(cls, tapes: Tapes, capital: float | None = None) -> LimitSet:
        """Explicit values derived from tapes, to be read, changed and saved."""
        return fit(tapes, capital, cls.research())


def limits_of(given: Any, settings: Any, tapes: Any) -> LimitSet:
    """What a call names, or else the settings, with the settings' own values on top."""
    chosen = settings.limits if given is None else given
    if chosen == "fit":
        return Limits.fit(tapes if isinstance(tapes, Tapes) else open_tapes(tapes))
    found = chosen if isinstance(chosen, LimitSet) else Limits.load(chosen)
    return found.replace(**settings.limit_overrides) if settings.limit_overrides else found


def limits_for(run: Run, chosen: str) -> LimitSet:
    """A set by name or file, `off`, or `fit` to the tapes of a run; settings are not on top."""
    return Limits.fit(job_of(run.manifest).tapes) if chosen == "fit" else Limits.load(chosen)


def file_of_limits(chosen: Any, overridden: Any) -> str:
    """The file that limits come from, for messages; "" where they come from none."""
    named = isinstance(chosen, str | Path) and str(chosen) not in ("off", "fit")
    if not named:
        return ""
    return f"{limits_path(chosen)}{', or the settings on top of it' if overridden else ''}"

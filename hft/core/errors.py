"""The exception tree, split by whose fault it is.

A refusal of the gateway is never an exception: it is a `Reason`. Exceptions mean a defect of ours
or an input file that cannot be used. The command line maps each class to one exit code.
"""

from collections.abc import Mapping
from types import MappingProxyType


class HftError(Exception):
    """Anything hft raises on purpose; its text is one sentence a user can act on.

    `facts` are numbers of the sentence for programs: entries of the error under --json.
    """

    exit_code = 1
    facts: Mapping[str, int] = MappingProxyType({})


class ConfigError(HftError):
    """A setting, limit or argument that cannot be used, whatever the data are."""

    exit_code = 78


class DataError(HftError):
    """A data file, frame, tape or run that is not there or cannot be used; the text names file,
    row and field."""

    exit_code = 65


class JournalError(HftError):
    """A journal or run folder that is torn in the middle or of another schema; a disk that is full
    or cannot be written."""

    exit_code = 74


class StrategyError(HftError):
    """A strategy that raised; the text names wake-up, time and named state."""

    exit_code = 65


class GovernanceError(HftError):
    """A step that governance refuses: a gate, four eyes, an exhausted budget, a bad signature."""

    exit_code = 2


class ValidationError(GovernanceError, ValueError):
    """An alpha, or the data for it, that cannot be validated; the text names id, file and field."""

    exit_code = 65


class PromotionError(GovernanceError, ValueError):
    """Evidence or a promotion file that is missing or cannot be read."""

    exit_code = 65


class Busy(HftError):
    """Somebody else holds a lock, waited for up to 60 s, or the embedded database; try again."""

    exit_code = 75


class Unavailable(HftError):
    """A service that does not answer, or something needed that is not installed."""

    exit_code = 69


class InvariantError(HftError):
    """A defect of ours: an invariant of the kernel does not hold."""

    exit_code = 1


class ExposureLimitError(HftError, RuntimeError):
    """The exposure store is at capacity (raised to its direct callers only)."""

    exit_code = 1

"""The two quotes of a policy, which an alpha names `quotes`: what is replayed is the policy."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from hft.core.errors import DataError, ValidationError
from hft.research.alphas import signals
from hft.research.alphas.remote import RemoteAlpha
from hft.research.rl import policy as policy_module
from hft.research.rl import quoting

if TYPE_CHECKING:
    from hft.strategies.base import Strategy


@dataclass(frozen=True, eq=False)
class Quotes:
    """A policy's own two quotes as what is replayed of an alpha: the alpha names it `quotes`.

    Units: `every_ns` between two looks at the market.
    """

    policy: policy_module.ArrayPolicy
    how: quoting.Quoting = field(default_factory=quoting.Quoting)
    every_ns: int = 1_000_000_000

    def strategy(self, unit_lots: int = 1) -> "Strategy":
        """The strategy that quotes so, at a multiple of its lots."""
        # A worker asks every alpha for quotes, and replays none: numba takes half of its start.
        from hft.research.rl.player import quoted

        how = self.how
        size = replace(how, lots=how.lots * unit_lots, max_lots=how.max_lots * unit_lots)
        given = {"shape": list(self.policy.shape), "weights": self.policy.flat().tolist()}
        return quoted(given, size, self.every_ns)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready, with every weight."""
        own = {"shape": list(self.policy.shape), "weights": self.policy.flat().tolist()}
        return own | asdict(self.how) | {"every_ns": self.every_ns}

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> "Quotes":
        """The inverse. Raises: DataError, ConfigError for what is no policy."""
        try:
            policy = policy_module.ArrayPolicy.unflat(told["shape"], told["weights"])
            how = quoting.Quoting(told["lots"], told["max_lots"], told["depth"])
            return cls(policy, how, int(told["every_ns"]))
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(f"quotes of an alpha: no policy: {error}") from None


def quotes_of(alpha: Any) -> Quotes | None:
    """The quotes of an alpha, which may be loaded, a class or an instance; None where it has none.

    Raises: ValidationError for anything else under that name.
    """
    if isinstance(alpha, RemoteAlpha):
        return None if alpha.quotes is None else Quotes.from_dict(alpha.quotes)
    made = signals.instance(alpha)
    found = getattr(made, "quotes", None)
    if found is not None and not isinstance(found, Quotes):
        name, kind = signals.name_of(made), type(found).__name__
        raise ValidationError(
            f"alpha {name!r}: `quotes` is {kind}, not hft.research.rl.quotes.Quotes of a policy"
        )
    return found

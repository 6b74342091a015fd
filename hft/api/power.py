"""`hft.alpha.power`: how likely a true alpha passes, before a trial is spent."""

from collections.abc import Callable, Sequence
from pathlib import Path

from hft.api.desk import open_desk
from hft.core.errors import ConfigError
from hft.governance.power.power import Power
from hft.governance.power.power import power as chances


def power(
    family: str | None = None,
    *,
    sharpe: Sequence[float] = (1.0, 2.0, 3.0),
    days: Sequence[int] = (1008,),
    taker_bps: float = 0.2,
    trials: int = 1,
    lives: int = 50,
    profile: str | None = None,
    seed: int = 1,
    tell: Callable[[int, int], None] | None = None,
    root: str | Path | None = None,
    config: str | None = None,
) -> Power:
    """The chance that an alpha of a true net Sharpe ratio passes gates A to C of a profile.

    Lives are drawn from a market whose edge is known and judged by the function that `validate`
    calls; nothing is recorded. `trials` are those on the data once this one ran; `family` takes the
    number and the scatter of what the ledger has tried of it, beside this one.
    Raises: ConfigError for what cannot be drawn, and for a family without trials.

    >>> import hft
    >>> found = hft.alpha.power(sharpe=[6.0], days=[504], lives=2)
    >>> found.chances[0].passed.of
    2
    """
    desk = open_desk(root, config=config)
    like, beside = None, ""
    if family is not None:
        seen = desk.ledger.family(family)
        if not seen.n:
            raise ConfigError(f"--family {family}: the ledger has no trial of it")
        like = (seen.effective + 1.0, seen.variance or 0.0)
        beside = (
            f"{seen.n} trials of family {family} so far, worth {seen.effective:.1f}, and this one"
        )
    return chances(
        desk.profile(profile),
        sharpes=sharpe,
        days=days,
        taker_bps=taker_bps,
        trials=trials,
        lives=lives,
        seed=seed,
        like=like,
        beside=beside,
        tell=tell or (lambda done, total: None),
    )

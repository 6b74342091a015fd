"""Small markets with known answers."""

import numpy as np

from hft.research.search.market import Market


def market(
    sessions: int = 40,
    rows: int = 30,
    *,
    seed: int = 5,
    edge: float = 0.0,
    proxy: bool = False,
    cost: float = 0.0,
    pool: np.ndarray | None = None,
    names: int = 1,
) -> Market:
    """Columns a, b, vol of noise; `edge` is how much of the next return column a tells."""
    count = sessions * rows
    rng = np.random.Generator(np.random.Philox(seed))
    table = rng.normal(size=(3, count * names))
    table[1, 5::97] = np.nan
    table[2] = np.abs(table[2]) + 0.1
    earned = rng.normal(size=count * names) * 1e-3
    earned[1:] += edge * 1e-3 * table[0, :-1]
    return Market(
        fields=("a", "b", "vol"),
        table=table,
        earned=earned,
        cost=np.full(count * names, cost),
        session=np.tile(np.arange(count) // rows, names),
        starts=np.arange(names + 1) * count,
        pool=np.zeros((0, count * names)) if pool is None else pool,
        days=tuple(range(20240101, 20240101 + sessions)),
        day_ns=tuple(int(day) * 86_400_000_000_000 for day in range(sessions)),
        interval=(0, sessions * 86_400_000_000_000),
        content="c" * 64,
        returns_used="proxy: made up" if proxy else "made up",
        proxy=proxy,
    )

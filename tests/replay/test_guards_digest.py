"""A digest tells which strategy a guard tripped."""

from dataclasses import replace

import pytest

from hft.gateway.alerts import BREAKER, write
from hft.gateway.rows import GuardCause, KillScope
from hft.gateway.tables import enter
from hft.strategies.base import Strategy
from tests.small_world import LEVEL, X, finish, opening, session_of

pytestmark = pytest.mark.nojit
Y = replace(X, symbol="Y")
ROWS = [*opening(1, {100: 5}, {110: 5}), (30, LEVEL, 0, 100, 6)]


def digest_after(scope: KillScope, index: int) -> str:
    """The digest of a run in which a guard of this scope tripped; all else is equal."""
    idle = [
        Strategy(lambda view, order, p, s: None, name, 10, 1, {}, {}, instruments=2)
        for name in "ab"
    ]
    session = session_of([ROWS, ROWS], idle, instruments=(X, Y))
    gw = enter(session.engine.trading.gw)
    write(gw, BREAKER, scope.value, index, 1, GuardCause.LOSS.value, -5, -4, 1)
    return finish(session).digest


@pytest.mark.parametrize("scope", [KillScope.STRATEGY, KillScope.ACCOUNT, KillScope.SYMBOL])
def test_a_trip_of_another_strategy_account_or_symbol_is_another_digest(scope: KillScope) -> None:
    assert digest_after(scope, 0) != digest_after(scope, 1)
    assert digest_after(scope, 1) == digest_after(scope, 1)

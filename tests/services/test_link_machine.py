"""Whatever is heard and however time goes, a link is live only after its session was asked."""

import hypothesis.strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from hft.services.link import Link, Phase, Step

S = 1_000_000_000


class LinkNeverTrustsUnasked(RuleBasedStateMachine):
    """`since` is what happened since the session began; `open` is the question under way."""

    def __init__(self) -> None:
        super().__init__()
        self.link, self.now = Link(), 0
        self.session_asked: int | None = None  # the token asked in this session
        self.settled = False
        self.tokens: list[int] = []

    @rule(ns=st.sampled_from((0, S // 10, S, 6 * S)), drained=st.booleans())
    def look(self, ns: int, drained: bool) -> None:
        self.now += ns
        before = self.link.phase
        step = self.link.step(self.now, is_drained=drained)
        if step is Step.ASK:
            assert drained and before is Phase.CONNECTED
            assert self.link.token not in self.tokens
            self.tokens.append(self.link.token)
            self.session_asked, self.settled = self.link.token, False
        elif step is Step.BEGIN:
            assert before is not Phase.LIVE
            self.session_asked, self.settled = None, False

    @rule()
    def up(self) -> None:
        if self.link.phase is not Phase.DOWN:
            self.session_asked, self.settled = None, False
        self.link.up(self.now)

    @rule(soon=st.booleans())
    def down(self, soon: bool) -> None:
        self.link.down(self.now, soon=soon)
        self.session_asked, self.settled = None, False

    @rule(back=st.integers(0, 2), settled=st.booleans())
    def end(self, back: int, settled: bool) -> None:
        token = self.link.token - back
        if self.link.is_asked(token) and settled and token == self.session_asked:
            self.settled = True
        self.link.end(token, self.now, is_settled=settled)

    @invariant()
    def live_is_asked_and_settled(self) -> None:
        assert self.link.is_live == self.settled

    def teardown(self) -> None:
        """From anywhere, a venue that answers leads to a live link."""
        for _ in range(6):
            self.now += 10 * S
            step = self.link.step(self.now, is_drained=True)
            if step is Step.BEGIN:
                self.link.up(self.now)
            elif step is Step.ASK:
                self.link.end(self.link.token, self.now, is_settled=True)
        assert self.link.is_live


TestLink = LinkNeverTrustsUnasked.TestCase

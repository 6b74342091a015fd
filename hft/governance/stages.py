"""The life of an alpha as one table: which stage follows which, by which event, and nothing else.

A stage is never stored on its own: it is read from the promotion file and the audit rows. Every
stage that carries weight has an exit by time (EXPIRE) and one by hand (ROLLBACK), so that nothing
hangs. A rolled-back alpha comes back through Gate C only.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from hft.core.errors import GovernanceError


class Stage(StrEnum):
    """Where an alpha stands."""

    SCAFFOLDED = "scaffolded"
    VALIDATED = "validated"
    PROPOSED = "proposed"
    CANARY = "canary"
    ESCALATED = "escalated"
    GRADUATED = "graduated"
    ROLLED_BACK = "rolled_back"
    EXPIRED = "expired"


class Event(StrEnum):
    """What moves it."""

    VALIDATE = "validate"
    PROPOSE = "propose"
    REFUSE = "refuse"
    APPROVE = "approve"
    RENEW = "renew"
    HOLD = "hold"
    ESCALATE = "escalate"
    GRADUATE = "graduate"
    ROLLBACK = "rollback"
    EXPIRE = "expire"


LIVE = (Stage.CANARY, Stage.ESCALATED, Stage.GRADUATED)


def _live(stage: Stage) -> dict[Event, Stage]:
    """What may happen to a promotion that carries weight."""
    return {
        Event.VALIDATE: stage,  # a newer validation does not touch what is live
        Event.PROPOSE: stage,
        Event.REFUSE: stage,
        Event.RENEW: stage,
        Event.HOLD: stage,
        Event.ESCALATE: Stage.ESCALATED,
        Event.GRADUATE: Stage.GRADUATED,
        Event.ROLLBACK: Stage.ROLLED_BACK,
        Event.EXPIRE: Stage.EXPIRED,
    }


STAGES: Mapping[Stage, Mapping[Event, Stage]] = MappingProxyType(
    {
        Stage.SCAFFOLDED: {Event.VALIDATE: Stage.VALIDATED, Event.REFUSE: Stage.SCAFFOLDED},
        Stage.VALIDATED: {
            Event.VALIDATE: Stage.VALIDATED,
            Event.PROPOSE: Stage.PROPOSED,
            Event.REFUSE: Stage.VALIDATED,
        },
        Stage.PROPOSED: {
            Event.VALIDATE: Stage.PROPOSED,
            Event.PROPOSE: Stage.PROPOSED,
            Event.APPROVE: Stage.CANARY,
            Event.REFUSE: Stage.VALIDATED,
            Event.EXPIRE: Stage.VALIDATED,
        },
        Stage.CANARY: _live(Stage.CANARY),
        Stage.ESCALATED: _live(Stage.ESCALATED),
        Stage.GRADUATED: {
            event: stage
            for event, stage in _live(Stage.GRADUATED).items()
            if event is not Event.ESCALATE
        },
        Stage.ROLLED_BACK: {Event.VALIDATE: Stage.VALIDATED, Event.ROLLBACK: Stage.ROLLED_BACK},
        Stage.EXPIRED: {
            Event.VALIDATE: Stage.EXPIRED,
            Event.PROPOSE: Stage.EXPIRED,
            Event.REFUSE: Stage.EXPIRED,
            Event.APPROVE: Stage.CANARY,
            Event.RENEW: Stage.CANARY,
            Event.ROLLBACK: Stage.ROLLED_BACK,
        },
    }
)


def after(stage: Stage, event: Event) -> Stage:
    """The stage that follows. Raises: GovernanceError for a transition that is not in the table."""
    following = STAGES[stage].get(event)
    if following is None:
        allowed = ", ".join(STAGES[stage])
        raise GovernanceError(f"{event} is not possible from {stage}; possible: {allowed}")
    return following

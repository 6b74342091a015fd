"""The rollback drill: a promotion of this workspace's owner is rolled back aside, and timed.

The same code writes, signs, places and reads as in earnest, in a folder that goes away. The seconds
are measured, so they stand in the bundle and never in a digest of evidence.
"""

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from hft.core.errors import HftError
from hft.governance.promotion.document import Promotion, rollback_block
from hft.governance.promotion.draft import PLACEHOLDER, signed
from hft.governance.promotion.office import Office
from hft.governance.promotion.people import Person
from hft.governance.promotion.promotions import path_for, read
from hft.governance.promotion.proposal import GUARDRAILS
from hft.governance.promotion.signatures import effective
from hft.storage.atomic import write_atomic

NOTHING = "0" * 64


@dataclass(frozen=True)
class Drill:
    """How long a rollback took; None with the reason when it did not work."""

    seconds: float | None
    words: str = ""


def drill(office: Office, alpha_id: str, person: Person, key: Path) -> Drill:
    """Roll a promotion back in a folder aside and see that nothing is left of its weight."""
    try:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            path = path_for(folder, alpha_id, office.now_ns)
            before = _sample(alpha_id, person.name)
            write_atomic(path, before.text)
            began = time.perf_counter()
            out = before.replace(
                weight=0.0,
                enabled=False,
                canary={
                    "state": "rolled_back",
                    "last_action": "rollback",
                    "last_ts_ns": office.now_ns,
                },
            )
            write_atomic(path, signed(out, person.name, key).text)
            file = read(folder).file(alpha_id)
            left = 1.0 if file is None else effective(file, office.keys, office.now_ns).weight
            seconds = time.perf_counter() - began
    except (HftError, OSError) as error:
        return Drill(None, f"the rollback drill failed: {error}")
    if left != 0.0:
        return Drill(None, f"the rollback drill left a weight of {left:g}")
    return Drill(seconds)


def _sample(alpha_id: str, owner: str) -> Promotion:
    """A promotion that carries weight, with signatures that nobody made."""
    return Promotion.from_data(
        {
            "config_version": "v1",
            "parent_config_version": None,
            "alpha_id": alpha_id,
            "enabled": True,
            "weight": 0.01,
            "profile": "standard",
            "owner": owner,
            "validator": f"not {owner}",
            "self_approved": False,
            "expiry_review_date": "9999-12-31",
            "forced": False,
            "source_commit": "drill",
            "run_id": "drill",
            "hashes": dict.fromkeys(
                ("config", "data", "code", "thresholds", "scorecard", "limits", "bundle", "memo"),
                NOTHING,
            ),
            "heads": {"audit": {"seq": 0, "hash": NOTHING}, "ledger": {}},
            "scorecard_snapshot": {
                **dict.fromkeys(("sharpe_oos", "max_drawdown", "turnover", "correlation_pool_max")),
                "pool_empty": True,
                "n_trials": 0,
                "n_effective": None,
            },
            "thresholds": dict.fromkeys(
                ("min_sharpe_oos", "max_abs_drawdown", "max_turnover", "max_correlation"), 0.0
            ),
            "readiness": {
                **dict.fromkeys(("gate_c", "gate_d", "gate_e"), "PASS"),
                "evidence": "runs",
                **dict.fromkeys(("shadow_sessions", "drift_alerts", "execution_reject_rate")),
            },
            "guardrails": dict(GUARDRAILS),
            "canary": {
                "ladder": [0.01, 0.05],
                "max_weight": 0.05,
                "state": "canary",
                "last_action": None,
                "last_ts_ns": None,
            },
            "rollback": rollback_block(GUARDRAILS),
            "signatures": dict.fromkeys(("owner", "validator", "state"), PLACEHOLDER),
        }
    )

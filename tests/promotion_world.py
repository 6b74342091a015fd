"""A workspace on a scripted calendar: people with real ssh keys, a real ledger, a real journal.

Scorecards and evidence are computed from seeded daily returns; nothing here replaces a module.
"""

import hashlib
import json
import shutil
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from promotion_sessions import evidence as evidence
from promotion_sessions import returns
from promotion_sessions import sessions as sessions

from hft.audit.artifacts import FILES, hashes_of
from hft.audit.auditor import Auditor
from hft.audit.keys import Keys, dump, entry
from hft.audit.sign import generate
from hft.audit.trust import Root, Trust
from hft.governance.gates.d import Portfolio
from hft.governance.gates.e import Shadow
from hft.governance.gates.origins import Origins
from hft.governance.ledger.ledger import Ledger
from hft.governance.profile import Profile
from hft.governance.promotion.approve import Approval, Facts, Now, approve
from hft.governance.promotion.bundle import Bundle
from hft.governance.promotion.claim import claim_of
from hft.governance.promotion.evidence import file_hash
from hft.governance.promotion.office import Office
from hft.governance.promotion.people import Person, person
from hft.governance.promotion.promotions import File, read
from hft.governance.promotion.proposal import Asked, Proposal
from hft.governance.promotion.propose import propose
from hft.governance.promotion.recheck import Again
from hft.governance.promotion.status import hurdle_now
from hft.governance.promotion.unseen import AFTER, Look
from hft.governance.promotion.verdicts import Validated
from hft.governance.promotion.verdicts import read as read_validation
from hft.governance.sessions import Session
from hft.governance.simulator.report import FOLDER, PARTS
from hft.governance.verdict import GateResult, holds
from hft.research.measures.measurement import Options
from hft.research.trial import Trial
from hft.research.workspace import Workspace
from hft.settings import read_profile
from hft.storage.chain import canonical

DAY_NS = 86_400_000_000_000
START_NS = 1_793_577_600_000_000_000  # 2026-11-02T00:00Z, a Monday
SINCE_NS = START_NS - 300 * DAY_NS
ROOT = Path(__file__).resolve().parents[1]
ROLES = {
    "ann": ("owner",),
    "bob": ("validator",),
    "cyd": ("operator",),
    "dan": ("owner", "validator"),
}
ALPHA = "queue_imbalance"
UNSEEN = Look(AFTER, "e" * 64, 60, 20261001, 20261231, 3.0, 2.5, 0.3)
# The code is that of an alpha's folder without a file.
HASHES = {"code": hashlib.sha256().hexdigest(), "config": "b" * 64, "data": "c" * 64}
SHIPPED = ROOT / "config" / "limits" / "live.yaml"
LIMITS = str(file_hash(SHIPPED))
REPORT = json.dumps({part: {"note": "measured"} for part in PARTS})
_LINE = f"venue.json:{hashlib.sha256(REPORT.encode()).hexdigest()}\n"
SIMULATED = hashlib.sha256(_LINE.encode()).hexdigest()


def profile(name: str) -> Profile:
    """A profile as shipped."""
    return Profile.from_dict(read_profile(name, ROOT), name)


@dataclass
class World:
    """One workspace; `now_ns` is the calendar."""

    root: Path
    workspace: Workspace
    keys: Keys
    now_ns: int = START_NS
    os_user: str = "ann"
    rooted: bool = False  # whether the keys come from a root of trust
    traded: list[Session] = field(default_factory=list)  # of this attempt: all of it is evidence

    @classmethod
    def made(cls, root: Path, key_store: Path) -> "World":
        """A workspace with the four people registered; their keys are made once a test session."""
        rows = []
        for name, roles in ROLES.items():
            path = key_store / name
            if not path.exists():
                generate(path, name)
            public = path.with_name(f"{name}.pub").read_text()
            rows.append(
                entry(name, public, emails=[f"{name}@desk.example"], roles=roles, from_ns=SINCE_NS)
            )
        workspace = Workspace(root)
        workspace.keys.parent.mkdir(parents=True, exist_ok=True)
        workspace.keys.write_text(dump(rows))
        (workspace.alphas / ALPHA).mkdir(parents=True)
        report = root / FOLDER / "venue.json"
        report.parent.mkdir(parents=True)
        report.write_text(REPORT)
        (root / "config" / "limits").mkdir()
        shutil.copy(SHIPPED, root / "config" / "limits")
        made = cls(root, workspace, Keys.read(workspace.keys))
        made.key_store = key_store  # type: ignore[attr-defined]
        return made

    def office(self, os_user: str = "") -> Office:
        """The means of a call made now."""
        audit = Auditor(
            self.workspace.audit_journal,
            f"chdb://{self.root / '.state' / 'none'}",
            enabled=False,
            actor=os_user or self.os_user,
            keys_hash=self.keys.hash,
        )
        return Office(
            self.workspace,
            self.keys,
            audit,
            Ledger.open(self.workspace.ledger),
            self.now_ns,
            os_user or self.os_user,
            self.workspace.promotions,
            trust=Trust(self.keys, Root(self.keys, 2, "trust.yaml", "9" * 64))
            if self.rooted
            else None,
        )

    def key(self, name: str) -> Path:
        """The private key of a person."""
        return self.key_store / name  # type: ignore[attr-defined, no-any-return]

    def person(self, name: str, os_user: str | None = None) -> Person:
        """A person at their own machine."""
        user = name if os_user is None else os_user
        return person(self.keys, self.key(name), None, user, self.now_ns)

    def pass_days(self, days: float) -> None:
        """Let the calendar go on."""
        self.now_ns += int(days * DAY_NS)

    def validate(
        self,
        seed: int = 1,
        sharpe: float = 3.0,
        *,
        under: str = "tier1",
        fails: str = "",
        **card: Any,
    ) -> Validated:
        """A validation with a recorded trial, its figures computed from seeded daily returns.

        `under` is the profile that judged it, `fails` the letters of gates that did not pass.
        """
        daily = returns(seed, sharpe)
        trial = Trial(
            ALPHA,
            "ofi",
            "forward_1d",
            f"queue_imbalance#{seed}",
            (START_NS - 1000 * DAY_NS, START_NS),
            HASHES["config"],
            HASHES["data"],
            HASHES["code"],
            daily,
            252.0,
            "validate",
            42,
        )
        recorded = Ledger.open(self.workspace.ledger).append([trial], self.now_ns)[0]
        scorecard = {
            "sharpe_oos": float(daily.mean() / daily.std(ddof=1) * np.sqrt(252)),
            "max_drawdown": -float(
                (np.maximum.accumulate(np.cumsum(daily)) - np.cumsum(daily)).max()
            ),
            "turnover": 0.4,
            "correlation_pool_max": 0.0,
            "pool_empty": True,
            "n_trials": 1,
            "n_effective": 1.0,
            "latency_profile": {"name": "sim_p95"},
            "config_hash": HASHES["config"][:16],
            "code_hash": HASHES["code"],
            "convention": "2012",
            **card,
        }
        stamp = (
            f"{date.fromtimestamp(self.now_ns // 10**9):%Y%m%d}T{self.now_ns // 10**9 % 86400:06d}Z"
        )
        folder = self.workspace.experiments / "validations" / ALPHA / f"{stamp}_{seed:08x}"
        folder.mkdir(parents=True)
        manifest = {
            "alpha_id": ALPHA,
            "run_id": folder.name,
            "data_paths": ["data.parquet"],
            "options": Options().to_dict(),
            "ts_ns": self.now_ns,
        }
        if under:
            manifest["thresholds"] = {
                "profile": under,
                "values": dict(profile(under).values),
                "set": {},
            }
        files: dict[str, Any] = {"scorecard.json": scorecard, "manifest.json": manifest}
        gates = {"A": "feasibility", "B": "correctness", "C": "backtest"}
        results = [GateResult(gate, (holds("everything", gate not in fails),)) for gate in gates]
        files |= {f"{gates[one.gate]}_report.json": one.to_dict() for one in results}
        for name, data in files.items():
            (folder / name).write_bytes(canonical(data))
        for result in results:
            self._record_gate(result, folder, recorded.trial_id, under)
        return read_validation(folder)

    def _record_gate(self, result: GateResult, folder: Path, trial_id: str, under: str) -> None:
        row = {
            "alpha_id": ALPHA,
            "run_id": folder.name,
            "details": {FILES: hashes_of(folder, self.root)},
            "gate": result.gate,
            "profile": under,
            "thresholds_hash": profile(under).hash if under else "",
            "passed": result.passed,
            "verdict": result.verdict.value,
            "trial_id": trial_id,
            "evidence_digest": result.evidence_digest,
        }
        self.office().audit.record("alpha_gate_log", row, now_ns=self.now_ns)

    def propose(self, name: str = "standard", **more: Any) -> Proposal:
        """The owner's proposal on the newest validation, with passing evidence."""
        owner = more.pop("owner", "ann")
        validated = more.pop("validated", None) or self.validate()
        chosen = more.pop("profile", None) or profile(name)
        trial = validated.trial_id(self.office().audit.rows())
        given = {
            "validated": validated,
            "portfolio": more.pop("portfolio", portfolio()),
            "shadow": more.pop("shadow", shadow()),
            "claim": claim_of(returns(1, 3.0), 1e6, quantile=0.99, slippage=(1.0, 1.1, 0.9, 1.05)),
            "profile": chosen,
            "asked": Asked(hashes=hashes(), inputs={}, family="ofi", trial_id=trial, **more),
        }
        return propose(
            self.office(owner), ALPHA, owner=self.person(owner), key=self.key(owner), **given
        )

    def approve(self, name: str = "bob", *, os_user: str | None = None, **now: Any) -> Approval:
        """The validator's answer to the newest proposal."""
        memo = self.root / "memo.md"
        if not memo.exists():
            memo.write_text("Replicated the scorecard; the pool is empty; limits read.\n")
        bundle = now.pop("bundle", None)
        user = name if os_user is None else os_user
        return approve(
            self.office(user),
            ALPHA,
            validator=self.person(name, os_user),
            key=self.key(name),
            memo=memo,
            now=StillSo(self, **now),
            bundle_sha256=bundle,
        )

    def promoted(self, name: str = "standard") -> Approval:
        """Proposed and approved, an hour apart."""
        self.propose(name)
        self.pass_days(1 / 24)
        done = self.approve()
        assert done.approved, done.objections
        return done

    def file(self) -> File:
        """The file that speaks for the alpha."""
        found = read(self.workspace.promotions).file(ALPHA)
        assert found is not None
        return found

    def bundle(self) -> Bundle:
        """The newest bundle."""
        from hft.governance.promotion.bundle import find

        return find(self.office().reports, ALPHA)[1]

    def rows(self, table: str) -> list[dict[str, Any]]:
        """The audit rows of a table, values only."""
        found = [row for row in self.office().audit.rows() if row["table"] == table]
        return [
            {
                name: json.loads(value)
                if isinstance(value, str) and value[:1] in "[{" and value
                else value
                for name, value in row["row"].items()
            }
            for row in found
        ]


class StillSo(Facts):
    """The facts behind a bundle, as frozen unless a test moves one."""

    def __init__(self, world: World, **moved: Any) -> None:
        self.world, self.moved = world, moved

    def of(self, bundle: Bundle) -> Now:
        hashes = dict(bundle.hashes) | {k: v for k, v in self.moved.items() if k != "hurdle"}
        trial = bundle.data["validation"]["trial_id"]
        ledger = Ledger.open(self.world.workspace.ledger)
        rows = ledger.trials()
        found = rows.filter(rows["trial_id"] == trial).to_dicts()
        kept = ledger.vectors([trial])[trial]
        again = Again(trial, {}, {}, found, kept, kept, {}, None)
        hurdle = self.moved.get("hurdle") or hurdle_now(ledger, found[0])
        return Now(hashes, hurdle, again, bundle.data["thresholds"], (), look=UNSEEN)


def hashes(**changed: str | None) -> dict[str, str | None]:
    """What is frozen beside scorecard and thresholds."""
    return {**HASHES, "limits": LIMITS, "simulator": SIMULATED, **changed}


def portfolio(**changed: Any) -> Portfolio:
    """Passing evidence against an empty pool."""
    found = Portfolio(
        live=(),
        capacity_multiple=8.0,
        participation_share=0.1,
        cost_retention=0.9,
        drawdown_probability=0.01,
        stress_loss=dict.fromkeys(("volatility", "spread", "gap", "latency"), 0.05),
    )
    return replace(found, **changed)


def shadow(**changed: Any) -> Shadow:
    """Passing evidence of shadow runs."""
    found = Shadow(
        evidence="runs",
        sessions=22,
        decisions=4000,
        drift_alerts=0,
        reject_rate=0.001,
        reject_rate_p95=0.002,
        reject_upper=0.004,
        stale_share=0.0,
        identical=1.0,
        cost_ratio_upper=1.1,
        ic_e=0.5,
        simulator_sha256=SIMULATED,
        drill_seconds=0.2,
        runs=({"run_id": "r1", "digest": "1" * 64},),
        origins=Origins(tapes=22, data="recorded", oldest_days=40, instruments=("X",), named=True),
    )
    return replace(found, **changed)

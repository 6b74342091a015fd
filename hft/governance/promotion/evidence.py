"""Facts for a proposal, made anew from alpha, data, ledger and files.

Nothing here judges. What cannot be read is None with a reason, so that approval can name it.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hft.audit import repository
from hft.core.errors import HftError, PromotionError
from hft.gateway.limits import Limits
from hft.governance.gates.d import Portfolio
from hft.governance.profile import Profile
from hft.governance.promotion.capacity import Engine
from hft.governance.promotion.claim import Claim, claim_of
from hft.governance.promotion.expectation import Expected, expected
from hft.governance.promotion.integration import Candidate, Live, measure
from hft.governance.promotion.office import Office
from hft.governance.promotion.promotions import read
from hft.governance.promotion.shadow import slippages
from hft.governance.promotion.signatures import effective
from hft.governance.promotion.verdicts import Validated
from hft.governance.sessions import Session
from hft.research.alphas import recount, signals
from hft.research.alphas.remote import RemoteAlpha
from hft.research.backtest import capital_of, run
from hft.research.data.dataset import ResearchData
from hft.research.data.load import load
from hft.research.execution.latency import SIM_P95, LatencyProfile
from hft.research.execution.simulation import How, Replayed, Stress, replay_alpha
from hft.research.rl.quotes import quotes_of
from hft.research.worker.roster import find


@dataclass(frozen=True, eq=False)
class Remade:
    """The alpha and the data of a validation as they are now."""

    alpha: RemoteAlpha
    data: ResearchData
    signal: np.ndarray

    @classmethod
    def of(cls, alpha: RemoteAlpha, data: ResearchData, validated: Validated) -> "Remade":
        """With the signal that counts. Raises: ValidationError."""
        levels = (validated.options.rules.threshold, *validated.options.levels)
        return cls(alpha, data, recount.confirmed(alpha, data, levels))


def remake(office: Office, validated: Validated) -> Remade:
    """Load alpha and data again and evaluate the signal.

    Raises: PromotionError when code or data are not those of the scorecard.
    """
    alpha = find(office.workspace, validated.alpha_id)
    card = validated.scorecard
    if alpha.code_hash != card.get("code_hash"):
        raise PromotionError(
            f"{alpha.alpha_id}: the code moved since the validation; validate again"
        )
    data = data_of(office, validated, alpha)
    if data.fingerprint != card.get("data_fingerprint"):
        raise PromotionError(
            f"{alpha.alpha_id}: the data moved since the validation; validate again"
        )
    return Remade.of(alpha, data, validated)


def data_of(office: Office, validated: Validated, alpha: RemoteAlpha) -> ResearchData:
    """The rows of a validation as they are now. Raises: PromotionError, DataError."""
    if not validated.data:
        raise PromotionError(
            f"{validated.path}: was validated on a frame in memory, which cannot be read again; "
            "validate on files"
        )
    root = office.workspace.root
    paths = [path if Path(path).is_absolute() else str(root / path) for path in validated.data]
    manifest = alpha.manifest
    return load(
        paths, fields=manifest.data_fields, horizon_ns=manifest.horizon_ns, split="validate"
    )


def portfolio_of(
    office: Office,
    validated: Validated,
    made: Remade,
    profile: Profile,
    launch_weight: float,
    limits: Limits | None = None,
) -> Portfolio:
    """The figures of Gate D; by replay, too, where tapes stand behind the data and limits are
    given.
    """
    options = validated.options
    engine = None
    if limits is not None and made.data.tapes is not None:
        engine = engine_of(office, validated, made, limits)
    candidate = Candidate(
        made.data,
        made.signal,
        options.rules,
        options.latency_ns,
        launch_weight,
        engine,
        options.capital,
    )
    told = [found.get("feature_set_version") for found in made.data.metadata.values()]
    version = next((value for value in told if value is not None), None)
    return measure(
        candidate,
        _live(office, made),
        profile,
        feature_set_version=None if version is None else str(version),
        seed=options.seed,
    )


def engine_of(office: Office, validated: Validated, made: Remade, limits: Limits) -> Engine:
    """The replay that the validation made, at a size and under a stress."""
    options = validated.options
    told = validated.scorecard.get("latency_profile") or {}
    folder = office.workspace.experiments / "replays" / validated.alpha_id

    def run(unit_lots: int, stress: Stress) -> Replayed:
        how = How(
            unit_lots=unit_lots,
            execution=options.execution,
            maker_bps=options.maker_bps,
            latency=LatencyProfile(**told) if told else SIM_P95,
            seed=options.seed,
            quotes=quotes_of(made.alpha) if options.execution == "quotes" else None,
        )
        return replay_alpha(
            made.data,
            made.signal,
            options.rules,
            limits=limits,
            folder=folder,
            how=how,
            stress=stress,
        )

    return run


def _live(office: Office, made: Remade) -> list[Live]:
    """Every other alpha whose weight counts, run on the candidate's data."""
    recorded = office.recorded()
    found = []
    for file in read(office.promotions).active():
        if file.alpha_id == made.alpha.alpha_id:
            continue
        if effective(file, office.keys, office.now_ns, recorded).weight <= 0:
            continue
        try:
            with find(office.workspace, file.alpha_id) as alpha:
                made.data.require(alpha.manifest.data_fields)
                found.append(Live(file.alpha_id, signals.counted(alpha, made.data)))
        except HftError as error:
            found.append(Live(file.alpha_id, None, str(error)))
    return found


def claim_from(
    validated: Validated,
    made: Remade,
    profile: Profile,
    shadow_days: Sequence[Session],
    *,
    lots: int = 1,
    point: float = 1.0,
) -> Claim | None:
    """The frozen claim: daily net returns out of sample, costs of the shadow sessions.

    The returns are points of the rule's position over the capital it stands on; `lots` of the
    target position, each worth `point` of money a point, make the money that stands for it.
    """
    options = validated.options
    test = run(made.data, made.signal, options.rules)
    begin = int(len(test.days) * options.is_oos_split)
    capital = capital_of(made.data, options.rules, options.capital)
    return claim_of(
        test.daily[begin:] * (test.initial_equity / capital),
        capital * lots * point,
        quantile=float(profile.number("canary.drawdown_quantile")),
        rungs=len(profile.get("canary.ladder")),
        slippage=slippages(shadow_days),
        seed=options.seed,
        lots=lots,
    )


def expected_of(validated: Validated, made: Remade) -> Expected:
    """What the validation leads one to expect of shadow trading."""
    options = validated.options
    maker = None if options.execution == "taker" else options.maker_bps
    return expected(
        made.data, made.signal, options.rules, split=options.is_oos_split, maker_bps=maker
    )


def hashes_of(
    validated: Validated, made: Remade, limits: Path | None, simulator: str | None
) -> dict[str, str | None]:
    """What a bundle freezes beside scorecard and thresholds."""
    return {
        "code": made.alpha.code_hash,
        "config": validated.options.hash,
        "data": made.data.fingerprint,
        "limits": file_hash(limits),
        "simulator": simulator,
    }


def file_hash(path: Path | None) -> str | None:
    """SHA-256 of a file; None where there is none."""
    if path is None:
        return None
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return None


def source_commit(root: Path) -> str:
    """Short hash of the workspace's commit, or "unknown"."""
    import subprocess

    try:
        done = repository.ask(root, ["rev-parse", "--short", "HEAD"])
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"
    if done is None:
        return "unknown"
    text = done.stdout.decode("ascii", "replace").strip()
    return text if done.returncode == 0 and text else "unknown"

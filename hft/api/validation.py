"""`hft.alpha.validate`: gates A, B and C with the workspace's ledger, audit and limits."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

from hft.api.desk import Desk, open_desk
from hft.core.errors import ConfigError
from hft.governance.profile import Profile
from hft.governance.validation.record import refusal
from hft.governance.validation.request import Request
from hft.governance.validation.result import Validation
from hft.governance.validation.services import Services
from hft.governance.validation.validate import validate as run
from hft.statistics.multiplicity import Method


def validate(
    id: str,
    data: Any,
    *,
    profile: str | None = None,
    engine: str = "auto",
    set: Mapping[str, Any] | None = None,
    seed: int = 42,
    skip_gate_b_tests: bool = False,
    is_oos_split: float = 0.7,
    signal_threshold: float | None = None,
    max_position: float = 5.0,
    taker_bps: float = 0.2,
    maker_bps: float = -0.2,
    execution: str = "taker",
    walk_forward_folds: int = 5,
    pytest_timeout: int = 300,
    latency_profile: str | None = None,
    data_roots: Sequence[str] = (),
    experiments_dir: str | Path | None = None,
    correction: str | None = None,
    gate_f: bool = False,
    agree: Callable[[Any], bool] | None = None,
    tell: Callable[[str], None] | None = None,
    say: Callable[[str], None] | None = None,
    root: str | Path | None = None,
    now: Any = None,
    config: str | None = None,
) -> Validation:
    """Judge an alpha on data that counts: structure, correctness, evidence.

    `data` is files, folders, globs, tapes or a frame; `set` tightens thresholds of the profile
    (`{"gate_c.dsr_min": 0.97}`). Every threshold of the sweep becomes a trial of the ledger; one
    that the manifest declares is the only trial, unless `signal_threshold` is another.
    `execution` "maker" quotes for its positions on the tapes; every figure is of those replays.
    `experiments_dir` takes the reports; ledger, audit and pool stay the workspace's. Under the
    profile base only, as advice: `correction` of the tests of the one series (bh, bonferroni, by,
    holm, none) and `gate_f`, the compiled twin. `tell` is told of each stage, `say` what a person
    must not miss: a profile looser than hft's, a minute of compiling, an unfinished validation.

    >>> import hft
    >>> judged = hft.alpha.validate("demo", "bars.parquet", profile="base", skip_gate_b_tests=True)
    >>> judged.passed, "hurdle SR" in judged.price  # four days are no evidence
    (False, True)
    """
    desk = open_desk(root, now=now, config=config)
    thresholds = _thresholds(desk, id, profile, set or {})
    request = Request(
        alpha_id=id,
        data=data,
        profile=thresholds,
        engine=_engine(engine),
        seed=seed,
        skip_tests=skip_gate_b_tests,
        is_oos_split=_share(is_oos_split),
        threshold=signal_threshold,
        max_position=max_position,
        taker_bps=taker_bps,
        maker_bps=maker_bps,
        execution=_execution(execution, engine),
        walk_forward_folds=walk_forward_folds,
        pytest_timeout_s=pytest_timeout,
        latency=_latency(latency_profile),
        data_roots=tuple(data_roots),
        correction=_correction(correction, thresholds),
        gate_f=_gate_f(gate_f, thresholds),
        reentry=_rollbacks(desk, id),
    )
    given = services(desk, agree, tell, say)
    if request.reentry:
        given.say(f"{id}: {request.reentry} rolled back before; re-entry counts each trial anew")
    if experiments_dir is not None:
        given = replace(given, experiments=Path(experiments_dir).absolute())
    if thresholds.loosened:
        given.say(f"a profile looser than hft's: {'; '.join(thresholds.loosened)}")
    return run(request, given)


def services(
    desk: Desk,
    agree: Callable[[Any], bool] | None = None,
    tell: Callable[[str], None] | None = None,
    say: Callable[[str], None] | None = None,
) -> Services:
    """What a validation stands on in a workspace."""
    from hft.api.limits import Limits
    from hft.audit.anchors import ledger_heads
    from hft.research.data import usage
    from hft.research.pool import pool_correlation_max

    auditor = desk.auditor

    def against_pool(alpha: Any, data: Any, signal: Any) -> dict[str, Any]:
        found = pool_correlation_max(
            signal, desk.workspace.experiments, ts_ns=data.ts_ns, alpha_id=alpha.alpha_id
        )
        return {"correlation_pool_max": found.value, "pool_empty": found.empty}

    return Services(
        workspace=desk.workspace,
        ledger=desk.ledger,
        record=auditor.record,
        limits=Limits.load(desk.settings.limits),
        now_ns=desk.now_ns,
        anchors=(ledger_heads(auditor.rows(), promotions_of(desk)),),
        looks=usage.recorded(auditor.rows()),
        agree=agree or (lambda price: True),
        tell=tell or (lambda stage: None),
        say=say or (lambda sentence: None),
        pool=against_pool,
        notice=lambda: auditor.deliver().notice,
    )


def promotions_of(desk: Desk) -> list[Mapping[str, Any]]:
    """The contents of the promotion files that can be read."""
    from hft.governance.promotion.promotions import read

    return [file.promotion.data for file in read(desk.workspace.promotions).files if file.promotion]


def _rollbacks(desk: Desk, id: str) -> int:
    """How often the alpha was rolled back: what it shows after one is another try."""
    from hft.governance.promotion.changes import changes

    return sum(one.state == "rolled_back" for one in changes(desk.auditor.rows(), id))


def _thresholds(desk: Desk, id: str, profile: str | None, changes: Mapping[str, Any]) -> Profile:
    """The profile, once the keys are readable; a refusal leaves an audit row."""
    try:
        desk.keys  # noqa: B018 - nobody can sign for what is decided under a broken file
        return _profile(desk, profile, changes)
    except ConfigError as error:
        named = profile or desk.settings.alpha_profile
        desk.auditor.record("alpha_gate_log", refusal(id, named, "", error), now_ns=desk.now_ns)
        raise


def _profile(desk: Desk, name: str | None, changes: Mapping[str, Any]) -> Profile:
    return desk.profile(name).replace(changes)


def _engine(name: str) -> Any:
    if name not in ("auto", "replay", "vector"):
        raise ConfigError(f"engine: {name!r} is none of auto, replay, vector")
    return name


def _execution(name: str, engine: str) -> Any:
    if name not in ("taker", "maker"):
        raise ConfigError(f"execution: {name!r} is none of taker, maker")
    if name == "maker" and engine == "vector":
        raise ConfigError(
            "execution: a maker waits in queues, which only a replay has; leave out --engine vector"
        )
    return name


def _correction(name: str | None, profile: Profile) -> Any:
    known = get_args(Method)
    if name is not None and name not in known:
        raise ConfigError(f"correction: {name!r} is none of {', '.join(known)}")
    return name if _advised("correction", name, profile) else "bh"


def _gate_f(asked: bool, profile: Profile) -> bool:
    """Raises: ConfigError where the profile, or its file, says nothing of Gate F."""
    for key in ("gate_f.parity_seconds_max", "gate_f.regression_max"):
        if _advised("gate_f", asked, profile) and profile.get(key) is None:
            raise ConfigError(f"gate_f: {key}: the file of profile {profile.name} leaves it out")
    return asked


def _advised(name: str, given: Any, profile: Profile) -> Any:
    """An option of the advice. Raises: ConfigError where the profile gives none."""
    if given and not profile.lenient:
        raise ConfigError(
            f"{name}: is advice, which only the profile base gives and which never decides; "
            f"leave it out or use --profile base instead of {profile.name}"
        )
    return given


def _share(value: float) -> float:
    if not 0.0 < value < 1.0:
        raise ConfigError(f"is_oos_split: {value!r} does not lie between 0 and 1")
    return value


def _latency(name: str | None) -> Any:
    from hft.research.execution.latency import SIM_P95, profile_of

    return SIM_P95 if name is None else profile_of(name)

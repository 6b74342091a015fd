"""One validation from the first check to the last row: the order in which things may be believed.

What needs no row first, and the alpha's own tests. Then the price is shown and agreed to, and only
then is the alpha shown rows: what it says of them counts, a failure too. The trials are in the
ledger, durable, before any figure is shown; then gates B and C, reports, page, experiment and audit
rows. A stop at any point leaves what was counted counted and nothing half-written.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from math import inf
from typing import Any

import numpy as np

from hft.core.errors import GovernanceError
from hft.governance import interruptions
from hft.governance.gates import advice as advised
from hft.governance.gates.a import gate_a
from hft.governance.gates.advice import Background
from hft.governance.gates.b import untested
from hft.governance.gates.c import ReplayFacts
from hft.governance.gates.f import Twin, gate_f
from hft.governance.ledger.family import Price
from hft.governance.profile import Profile
from hft.governance.scorecard import Scorecard, scorecard
from hft.governance.validation import advice, record, trials
from hft.governance.validation.compiled import twin
from hft.governance.validation.correctness import correctness, tests_of
from hft.governance.validation.document import bare, document, history_of
from hft.governance.validation.judgement import Structure, counted, judge
from hft.governance.validation.replay import played, quoted, replays, wanted
from hft.governance.validation.request import Request
from hft.governance.validation.result import Validation
from hft.governance.validation.services import Services
from hft.governance.validation.structure import admission, leak_tests
from hft.governance.verdict import Check, GateResult, Verdict
from hft.reports.governance.document import Document
from hft.research.alphas import signals
from hft.research.alphas.loader import NoSuchAlpha
from hft.research.alphas.manifest import AlphaManifest
from hft.research.alphas.recount import apart, recounted
from hft.research.alphas.remote import RemoteAlpha
from hft.research.data import usage
from hft.research.data.dataset import ResearchData
from hft.research.data.load import load
from hft.research.measures.evidence import Evidence
from hft.research.measures.measurement import Measured, Options, measure
from hft.research.trial import LABEL_FAMILY
from hft.research.worker.roster import find
from hft.runs.code.compilation import first_compile
from hft.statistics.one_series import Battery

NOT_COUNTED = "no trial was counted: the alpha was shown no row"
WITHOUT_FIGURES = "one trial was counted, without returns: the alpha was shown the rows"


@dataclass
class _Clock:
    """Seconds of each stage, for people who wait."""

    tell: Callable[[str], None]
    seconds: dict[str, float] = field(default_factory=dict)
    _name: str = ""
    _began: float = 0.0

    def stage(self, name: str) -> None:
        now = time.perf_counter()
        if self._name:
            self.seconds[self._name] = now - self._began
        self._name, self._began = name, now
        if name:
            self.tell(name)


def validate(request: Request, services: Services) -> Validation:
    """Gates A, B and C of one alpha.

    Raises: ValidationError, DataError for what cannot be evaluated; GovernanceError when the price
    is declined; ConfigError, StrategyError, Busy, Unavailable of what it stands on. Each leaves an
    audit row, and so does, with the next command, a process that ends on the way. An id that nobody
    has and a registry that is away leave none: nothing was judged.
    """
    services.ledger.reachable()
    state = services.workspace.state
    for sentence in interruptions.close(state, services.record, services.now_ns):
        services.say(sentence)
    with interruptions.begun(state, record.aborted(request, services.now_ns), record.REFUSALS):
        try:
            with find(services.workspace, request.alpha_id) as alpha:
                return _Run(request, services).validate(alpha)
        except NoSuchAlpha:
            raise  # a mistyped name is no verdict about anything
        except record.REFUSALS as error:
            record.record_refusal(request, services, error)
            raise


class _Run:
    """One validation's state, stage by stage."""

    def __init__(self, request: Request, services: Services) -> None:
        self.request, self.services = request, services
        self.clock = _Clock(services.tell)
        self.background: Background | None = None
        self.elsewhere = signals.Difference(inf, 0)  # the signal from that of other blocks

    def validate(self, alpha: RemoteAlpha) -> Validation:
        request, services, clock = self.request, self.services, self.clock
        clock.stage("load")
        self.request = request = quoted(request, alpha)
        manifest: AlphaManifest = alpha.manifest
        fields, horizon_ns = manifest.data_fields, manifest.horizon_ns
        whole = load(request.data, fields=fields, horizon_ns=horizon_ns)
        data = load(whole, fields=fields, horizon_ns=horizon_ns, split="validate")
        known = usage.uses(services.workspace, whole)
        data = replace(
            data,
            looked_at=usage.looks(known),
            spoiled=(*services.unknown_uses(), *usage.spoiled(known, whole, data)),
        )
        options = request.options(manifest)
        if wanted(request, data) and (said := first_compile()):
            services.say(said)
        clock.stage("admission")
        checks = self._admission(alpha, data)
        admitted = gate_a(checks, None, request.profile)
        if admitted.verdict is Verdict.FAIL:
            return self._stopped(alpha, data, options, admitted)
        tests = self._tests(alpha)
        if tests["passed"] is False:
            return self._stopped(alpha, data, options, admitted, untested(tests["reason"]))
        price = self._price(alpha, data, options)
        use = usage.Use.of("validate", alpha.alpha_id, whole, data)
        usage.record(services.workspace, use, services.now_ns, services.looked)
        with self._counted(alpha, data, options):
            clock.stage("signal")
            signal = signals.counted(alpha, data)
            again = recounted(alpha, data, signal, options.rules.threshold)
            self.elsewhere = apart(again, signal, options.levels)
            clock.stage("gate A")
            more, leaks = leak_tests(alpha, data, request.profile)
            checks += more
        first = gate_a(checks, None, request.profile, {"leaks": leaks.to_dict()})
        if first.verdict is Verdict.FAIL:
            trial = self._count(alpha, data, options)
            return self._stopped(alpha, data, options, first, trial=trial)
        return self._judged(alpha, data, options, signal, checks, tests, price, leaks.to_dict())

    def _admission(self, alpha: RemoteAlpha, data: ResearchData) -> list[Check]:
        """What must hold before a row is shown."""
        request, services = self.request, self.services
        checks = admission(
            alpha,
            data,
            services.ledger,
            services.anchors,
            request.profile,
            services.now_ns,
            data_roots=request.data_roots,
        )
        if request.profile.lenient:
            root = services.workspace.root
            self.background = advice.background(alpha.manifest, data, root)
            checks += advised.background(self.background, request.profile)
        return checks

    @contextmanager
    def _counted(self, alpha: RemoteAlpha, data: ResearchData, options: Options) -> Iterator[None]:
        """Rows are shown within it: what ends here without a signal is a trial without returns."""
        try:
            yield
        except BaseException:
            self._count(alpha, data, options)
            raise

    def _count(self, alpha: RemoteAlpha, data: ResearchData, options: Options) -> str:
        """Count an alpha that was shown rows and has no figures; the id of its trial."""
        trial = trials.without_figures(alpha, data, options)
        self.services.ledger.append([trial], self.services.now_ns)
        return trial.id

    def _tests(self, alpha: RemoteAlpha) -> dict[str, Any]:
        """The alpha's own tests, before anything is counted: they see no row of the data."""
        if self.request.skip_tests:
            return {"passed": None, "reason": "--skip-gate-b-tests was given"}
        self.clock.stage("tests")
        return tests_of(alpha, self.request.pytest_timeout_s)

    def _stopped(
        self,
        alpha: RemoteAlpha,
        data: ResearchData,
        options: Options,
        *gates: GateResult,
        trial: str = "",
    ) -> Validation:
        """Structure failed: there is no figure to show."""
        price = WITHOUT_FIGURES if trial else NOT_COUNTED
        page = bare(alpha, gates, self._inputs(alpha, data, options), price)
        return self._kept(alpha, data, gates, None, price, page, {}, trial)

    def _price(self, alpha: RemoteAlpha, data: ResearchData, options: Options) -> Price:
        """The price of these trials, agreed to. Raises: GovernanceError when it is declined."""
        services = self.services
        ids = trials.trial_ids(alpha, data, options)
        start, end = data.interval
        price = services.ledger.price(
            family=alpha.manifest.family or alpha.alpha_id,
            label_family=LABEL_FAMILY,
            interval=(start, end + 1),
            n_obs=len(data.sessions),
            trial_ids=list(ids.values()),
        )
        if not services.agree(price):
            raise GovernanceError(f"not run: the price was declined ({price.line})")
        return price

    def _judged(
        self,
        alpha: RemoteAlpha,
        data: ResearchData,
        options: Options,
        signal: np.ndarray,
        checks: list[Any],
        tests: Mapping[str, Any],
        price: Price,
        leaks: Mapping[str, Any],
    ) -> Validation:
        request, services, clock = self.request, self.services, self.clock
        clock.stage("figures")
        folder = services.kept / "replays" / alpha.alpha_id
        with self._counted(alpha, data, options):
            found = taken = measure(data, signal, options)
            if request.by_replay:
                found = played(taken, request, services.limits, folder)
        services.ledger.append(trials.trials_of(alpha, found), services.now_ns)
        own = trials.trial_ids(alpha, data, options)[options.rules.threshold]
        code = trials.code_of(alpha)
        evidence, view = counted(services.ledger, request.profile, found, code)
        clock.stage("gate B")
        correct, again = correctness(alpha, taken, request.profile, tests, self.elsewhere)
        clock.stage("replay" if data.tapes is not None else "gate C")
        battery = self._series(found)

        def replayed() -> ReplayFacts | None:
            done = replays(found, request, services.limits, folder)
            return None if done is None else done.facts

        more = advised.series(battery, request.profile) if request.profile.lenient else ()
        structure = Structure(tuple(checks), {"leaks": leaks})
        gates = judge(found, evidence, structure, correct, request.profile, replayed, more)
        detail = {"correctness": again, "measured": found, "evidence": evidence, "signal": signal}
        if request.gate_f:
            clock.stage("gate F")
            compiled, detail["twin"] = self._twin(alpha, data)
            gates = (*gates, gate_f(compiled, request.profile))
        clock.stage("report")
        card = self._card(alpha, found, evidence, signal, battery)
        page = document(
            alpha,
            found,
            evidence,
            card,
            gates,
            request.profile,
            price.paid(view),
            self._inputs(alpha, data, options),
            history_of(view, alpha.manifest.family or alpha.alpha_id, own),
        )
        return self._kept(alpha, data, gates, card, price.line, page, detail, own)

    def _series(self, found: Measured) -> Battery | None:
        """The tests of the returns out of sample, which only the profile `base` looks at."""
        request = self.request
        if not request.profile.lenient:
            return None
        return advice.series(found, request.profile, request.correction)

    def _twin(self, alpha: RemoteAlpha, data: ResearchData) -> tuple[Twin, dict[str, Any]]:
        """The compiled form of the alpha, run."""
        return twin(alpha, data, self.services.kept, self.request.profile)

    def _card(
        self,
        alpha: RemoteAlpha,
        found: Measured,
        evidence: Evidence,
        signal: Any,
        tests: Battery | None,
    ) -> Scorecard:
        services, more = self.services, None
        if self.background is not None:
            more = advice.figures(self.background, tests, self.request.correction)
        pool: Mapping[str, Any] = {"correlation_pool_max": None, "pool_empty": None}
        if services.pool is not None:
            pool = services.pool(alpha, found.data, signal)
        return scorecard(
            found,
            evidence,
            pool=pool,
            latency_profile=self.request.latency.to_dict(),
            code_hash=alpha.code_hash,
            ledger_heads=services.ledger.heads(),
            feature_set_version=alpha.manifest.feature_set_version,
            advice=more,
        )

    def _inputs(self, alpha: RemoteAlpha, data: ResearchData, options: Options) -> dict[str, Any]:
        """The hashes that the page and the audit rows name."""
        profile: Profile = self.request.profile
        return {
            "data": data.fingerprint,
            "code": alpha.code_hash,
            "config": options.hash,
            "thresholds": profile.hash,
            "profile": profile.name,
            "convention": "2012",
            "seed": options.seed,
        }

    def _kept(
        self,
        alpha: RemoteAlpha,
        data: ResearchData,
        gates: tuple[GateResult, ...],
        card: Scorecard | None,
        line: str,
        page: Document,
        detail: Mapping[str, Any],
        trial: str,
    ) -> Validation:
        """Reports, experiment and audit rows; the audit row comes last and names the rest."""
        folder, run_id = record.write(
            self.request, self.services, alpha, data, gates, card, page, detail
        )
        record.record_gates(self.request, self.services, alpha, gates, folder, run_id, trial)
        self.clock.stage("")
        return Validation(
            alpha_id=alpha.alpha_id,
            profile=self.request.profile.name,
            gates=gates,
            scorecard=card,
            price=line,
            document=page,
            path=folder,
            run_id=run_id,
            trial_id=trial,
            notice=self.services.notice(),
            seconds=dict(self.clock.seconds),
        )

"""The numbers a gate reads and a promotion keeps: one flat record, quantised, with its inputs.

A figure that is undefined is null and `reasons` says why. What is here depends on data, code,
configuration and ledger only: no time, no machine, no run id.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hft.research.measures.evidence import CONVENTION, Evidence
from hft.research.measures.measurement import Measured, rounded
from hft.storage.chain import canonical

SCHEMA_VERSION = 1
UNITS = {
    "max_drawdown": "share of the highest equity so far, from the target capital, out of sample",
    "max_drawdown_contract": "the same of one contract on 1,000,000",
    "capital": "points of price that the full position stands on",
    "turnover": "contracts a row, out of sample",
    "capacity_estimate": "contracts at 2 % of the volume",
    "sharpe_oos": "annual, net",
    "sharpe_is": "annual, net",
    "haircut_sharpe": "annual, net",
}
BETTER_NULL = "the data cannot carry it"


@dataclass(frozen=True)
class Scorecard:
    """The record; `values` are its fields by name.

    `max_drawdown` is out of sample, as a share of the highest equity so far: the target capital at
    first and the net P&L of the contracts held; `max_drawdown_contract` is on 1 000 000. Sharpe
    ratios are annual, turnover is contracts a row.
    """

    values: Mapping[str, Any]
    reasons: Mapping[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {**self.values, "reasons": dict(self.reasons)}

    @property
    def sha256(self) -> str:
        """Hash of the record."""
        return hashlib.sha256(canonical(self.to_dict())).hexdigest()


def scorecard(
    found: Measured,
    evidence: Evidence,
    *,
    pool: Mapping[str, Any],
    latency_profile: Mapping[str, Any],
    code_hash: str,
    ledger_heads: Mapping[str, Any],
    feature_set_version: str | None = None,
    advice: Mapping[str, Any] | None = None,
) -> Scorecard:
    """The scorecard of a validation. `pool` has correlation_pool_max and pool_empty, `advice` the
    fields of the profile `base`.
    """
    values = rounded(
        {
            **measured_again(found),
            "correlation_pool_max": pool.get("correlation_pool_max"),
            "pool_empty": pool.get("pool_empty"),
            "latency_profile": dict(latency_profile),
            "feature_set_version": feature_set_version,
            "n_trials": evidence.tries.n,
            "n_effective": evidence.tries.effective,
            "dsr": evidence.dsr,
            "psr": evidence.psr,
            "pbo": evidence.pbo.pbo if evidence.pbo else None,
            "pbo_configs": evidence.pbo_configs,
            "hac_t": evidence.hac_t,
            "haircut_sharpe": evidence.haircut_sharpe,
            "convention": CONVENTION,
            "code_hash": code_hash,
            "ledger_heads": dict(ledger_heads),
            "looked_at": [list(pair) for pair in found.data.looked_at],
            "generator_script": "hft alpha validate",
            "measures_digest": found.digest,
            "schema_version": SCHEMA_VERSION,
            **(advice or {}),
        }
    )
    reasons = {name: BETTER_NULL for name, value in values.items() if value is None}
    if evidence.pbo is None:
        reasons["pbo"] = evidence.pbo_reason
    if feature_set_version is None:
        reasons["feature_set_version"] = "the manifest names none"
    if "data_ul" in reasons:
        reasons["data_ul"] = "a data file has no metadata beside it"
    return Scorecard(values, reasons)


def measured_again(found: Measured) -> dict[str, Any]:
    """The fields that data, code and configuration decide: whoever measures again finds the same,
    whatever the ledger and the pool have become.
    """
    figures = found.figures
    base, worse = found.stress.base.sharpe, found.stress.stressed.sharpe
    return dict(
        rounded(
            {
                **{name: figures[name] for name in _FIGURES},
                **{name: figures[name] for name in figures if name.startswith(_WALK)},
                "cost_sensitivity_ratio": worse / base if base and worse is not None else None,
                "data_fingerprint": found.data.fingerprint,
                "config_hash": found.options.hash,
                "rng_seed": found.options.seed,
            }
        )
    )


_WALK = ("walk_forward_sharpe", "walk_forward_consistency_pct")
_FIGURES = (
    *("sharpe_is", "sharpe_oos", "sharpe_basis", "ic_mean", "ic_std", "ic_spearman_mean"),
    *(
        "turnover",
        "max_drawdown",
        "max_drawdown_contract",
        "capital",
        "regime_sharpe",
        "regime_ic",
        "capacity_estimate",
    ),
)

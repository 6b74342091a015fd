"""What a validation needs of the world around it, as plain values and functions."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hft.gateway.limits import Limits
from hft.governance.ledger.family import Price
from hft.governance.ledger.ledger import Ledger
from hft.research.alphas.remote import RemoteAlpha
from hft.research.data import usage
from hft.research.data.dataset import ResearchData
from hft.research.workspace import Workspace


@dataclass(frozen=True)
class Services:
    """What a validation stands on: `record` writes an audit row (`Auditor.record`), `anchors` are
    ledger heads kept in audit rows and promotions, `looks` what audit rows know of uses of data.

    `agree` is shown the price and answers whether to pay it; `tell` is told of each stage,
    `say` what a person must not miss: a looser profile, a minute of compiling. `experiments` is
    where it is written, the workspace's folder by default.
    """

    workspace: Workspace
    ledger: Ledger
    record: Callable[..., Any]
    limits: Limits
    now_ns: int
    anchors: Iterable[Mapping[str, Mapping[str, Any]]] = ()
    looks: Iterable[tuple[int, int, str]] = ()
    agree: Callable[[Price], bool] = lambda price: True
    tell: Callable[[str], None] = lambda stage: None
    say: Callable[[str], None] = lambda sentence: None
    pool: Callable[[RemoteAlpha, ResearchData, Any], Mapping[str, Any]] | None = None
    notice: Callable[[], str] = lambda: ""
    experiments: Path | None = None

    def looked(self, row: Mapping[str, Any]) -> None:
        """An audit row of a use of data."""
        self.record("control_log", row, now_ns=self.now_ns)

    def unknown_uses(self) -> list[str]:
        """Why nobody knows here what was seen; empty where the file of uses is whole."""
        return [words for _, words in usage.lost(self.workspace, self.looks)]

    @property
    def kept(self) -> Path:
        """Where the validation is written; the ledger, the pool and what was looked at stay."""
        return self.experiments or self.workspace.experiments

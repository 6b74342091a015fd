"""Where a workspace keeps what: alphas, ledger, experiments, promotions, keys, state.

The ledger has one place and no option moves it: a count of trials that can be pointed elsewhere
counts nothing.
"""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Workspace:
    """The folders and files of one workspace, under its root."""

    root: Path
    promotions_dir: str = "config/strategy_promotions"
    keys_file: str = "config/keys.yaml"
    audit_journal_dir: str = ".state/audit"

    @property
    def alphas(self) -> Path:
        """One folder for each alpha."""
        return self.root / "research" / "alphas"

    @property
    def ledger(self) -> Path:
        """The trial ledger, tracked in git."""
        return self.root / "research" / "ledger"

    @property
    def experiments(self) -> Path:
        """Runs, validations, promotions, paper sessions; git-ignored."""
        return self.root / "research" / "experiments"

    @property
    def search_results(self) -> Path:
        """What searches found."""
        return self.root / "research" / "combinatorial" / "results"

    @property
    def promotions(self) -> Path:
        """The dated promotion files."""
        return self.root / self.promotions_dir

    @property
    def keys(self) -> Path:
        """Who may sign as what."""
        return self.root / self.keys_file

    @property
    def state(self) -> Path:
        """What belongs to this machine: own keys, the audit journal, the embedded database."""
        return self.root / ".state"

    @property
    def audit_journal(self) -> Path:
        """The local hash-chained journal of decisions."""
        return self.root / self.audit_journal_dir

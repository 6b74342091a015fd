"""What the advice of the profile `base` is given by: the paper index, metadata, the one series."""

from pathlib import Path
from typing import Any

from hft.core.errors import ConfigError
from hft.governance.gates.advice import Background
from hft.governance.profile import Profile
from hft.research.alphas.manifest import AlphaManifest
from hft.research.data import sidecars
from hft.research.data.dataset import ResearchData
from hft.research.measures.measurement import Measured
from hft.statistics.multiplicity import Method
from hft.statistics.one_series import LEAST, Battery, battery
from hft.storage.strict_yaml import load_yaml

INDEX = "research/knowledge/papers.yaml"


def background(manifest: AlphaManifest, data: ResearchData, root: Path) -> Background:
    """What is said about the alpha and its data; a damaged paper index is advice, too."""
    tiers = {Path(name).name: _tier(name, data) for name in data.files}
    try:
        return Background(manifest, tiers, papers(root / INDEX), INDEX)
    except ConfigError as error:
        return Background(manifest, tiers, (), str(error))


def _tier(name: str, data: ResearchData) -> int | None:
    """The tier of what lies beside a file, or of its folder."""
    told = data.metadata.get(name, data.metadata.get(str(Path(name).parent)))
    return None if told is None else sidecars.tier(told)


def papers(index: Path) -> tuple[str, ...] | None:
    """The entries of the paper index, a mapping by reference; None where there is none.

    Raises: ConfigError naming the file.
    """
    if not index.is_file():
        return None
    told = load_yaml(index.read_text(encoding="utf-8"), INDEX)
    if told is None:
        return ()
    if not isinstance(told, dict):
        raise ConfigError(f"{INDEX}: holds no mapping; write each reference as a key")
    return tuple(str(name) for name in told)


def series(found: Measured, profile: Profile, correction: Method) -> Battery | None:
    """The tests of the daily net returns out of sample; None where nothing can carry or asks for
    them.
    """
    names = ("level", "draws", "nonzero_min")
    level, draws, nonzero = (profile.get(f"gate_c.series_{name}") for name in names)
    if found.basis != "daily" or None in (level, draws, nonzero):
        return None
    returns = found.test.part(slice(found.split[1], None)).returns(found.basis)
    if len(returns) < LEAST:
        return None
    return battery(
        returns,
        correction,
        level=float(level),
        draws=int(draws),
        nonzero=int(nonzero),
        seed=found.options.seed,
    )


def figures(found: Background, tests: Battery | None, correction: Method) -> dict[str, Any]:
    """What the scorecard shows of it."""
    independence = tests.independence if tests else None
    return {
        "stat_bh_n_survived": tests.survivors if tests else None,
        "stat_bh_method": correction,
        "stat_bds_pvalue": independence.p if independence else None,
        "data_ul": found.data_ul,
    }

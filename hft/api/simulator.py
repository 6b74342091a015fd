"""`hft.alpha.simulator`: how true the simulated venue is, from runs and own orders, signed."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hft.api.desk import open_desk
from hft.api.promotion import needed_key
from hft.core.errors import ConfigError
from hft.governance.promotion.people import person
from hft.governance.sessions import run_folders
from hft.governance.simulator.report import OWN_SAYS, make
from hft.research.alphas.ids import alpha_id as proper


def simulator(
    venue: str,
    runs: Sequence[str | Path],
    *,
    own: Sequence[str | Path] = (),
    says: str = "recorded",
    source: str = "",
    key: str | Path | None = None,
    root: str | Path | None = None,
    now: Any = None,
) -> dict[str, Any]:
    """Compare a simulated venue with L3 tapes and with own orders, and write the signed report.

    `runs` are sealed replays with `record="full"`: on L3 tapes with the exact queue, and of the
    same strategy by the model. `own` are tables of own orders at the venue. Raises: DataError,
    ConfigError, GovernanceError.

    >>> import hft
    >>> hft.alpha.simulator("demo", ["runs"], source="nobody")
    Traceback (most recent call last):
    hft.core.errors.DataError: ...
    """
    desk = open_desk(root, now=now)
    words = (*OWN_SAYS, "synthetic") if desk.rehearsal else OWN_SAYS
    if says not in words:
        raise ConfigError(f"--as {says}: is none of {', '.join(words)}")
    if not source.strip():
        raise ConfigError("--source: say where the own orders come from: whose, from which log")
    signing = needed_key(desk, key)
    signer = person(desk.keys, signing, None, desk.login, desk.now_ns)
    path = make(
        desk.root,
        proper(venue),
        run_folders([Path(path) for path in runs]),
        [Path(path) for path in own],
        says=says,
        source=source.strip(),
        now_ns=desk.now_ns,
        key=signing,
    )
    told: dict[str, Any] = json.loads(path.read_bytes())
    return told | {"signed_by": signer.name, "path": str(path.relative_to(desk.root))}

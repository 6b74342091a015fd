"""`hft.declare`: say of tapes or data what they are, signed; `promote` reads it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hft.api.desk import open_desk
from hft.api.promotion import key_of
from hft.core.errors import ConfigError, GovernanceError
from hft.governance.promotion.people import person
from hft.governance.provenance import SAYS, declare, of_content, of_tape, statements
from hft.research.data.load import load


def say(
    paths: Sequence[str | Path],
    says: str,
    *,
    source: str,
    key: str | Path | None = None,
    root: str | Path | None = None,
    now: Any = None,
) -> dict[str, Any]:
    """Declare tapes, or files of data, as recorded, live or synthetic; signed with a registered
    key where one is at hand.

    Raises: ConfigError for another word or no source, GovernanceError for contents that are known
    as synthetic or a key that is not registered.
    """
    if says not in SAYS:
        raise ConfigError(f"--as {says}: is none of {', '.join(SAYS)}")
    if not source.strip():
        raise ConfigError("--source: say where it comes from: who recorded it, from which feed")
    desk = open_desk(root, now=now)
    contents = _contents(paths, desk.root, desk.keys, says)
    signing = key_of(desk, key)
    if signing is not None:
        name = person(desk.keys, signing, None, desk.login, desk.now_ns).name
    path = declare(desk.root, contents, says, source.strip(), now_ns=desk.now_ns, key=signing)
    return {
        "says": says,
        "contents": contents,
        "signed_by": "" if signing is None else name,
        "path": str(path.relative_to(desk.root)),
    }


def _contents(paths: Sequence[str | Path], root: Path, keys: Any, says: str) -> dict[str, str]:
    """Names by hash: of each tape, else of the rows. Raises: GovernanceError."""
    data, known = load([str(path) for path in paths]), statements(root, keys)
    if data.tapes is None or data.kind != "tapes":
        origins = {data.content: data.source}
        found = [of_content(data.content, known)]
        told = {str(one.get("source_type", "")) for one in data.metadata.values()}
        made_up = "synthetic" in told
    else:
        found = [of_tape(tape, known) for tape in data.tapes]
        origins = {one.sha256: tape.path.name for one, tape in zip(found, data.tapes, strict=True)}
        made_up = False
    if says != "synthetic" and (made_up or any(one.says == "synthetic" for one in found)):
        raise GovernanceError(
            f"{data.source}: is known as synthetic; what a market never said is not {says}"
        )
    return origins

"""A replay of tapes shows their days: those that a vault keeps back are none of it any more."""

from typing import Any

from hft.api.desk import find_root, open_desk
from hft.research.workspace import Workspace

CLOCK = "60s"


def told(tapes: Any) -> list[str]:
    """What to say before tapes are replayed in a workspace; the days are looked at from here on."""
    workspace = Workspace(find_root())
    if not (workspace.experiments / "looked_at.jsonl").is_file():
        return []
    from hft.research.data import usage, vault_days
    from hft.research.data.tapes import from_tapes

    if not usage.kept(workspace):
        return []
    said = []
    for symbol in tapes.symbols:
        data = from_tapes(tapes.select(symbols=[symbol]), CLOCK, ("mid",))
        if days := vault_days.held(workspace, data):
            use = usage.Use("try", "replay", data.content, (days[0], days[-1]), None, {})
            desk = open_desk()
            usage.record(workspace, use.of_days(data, days), desk.now_ns, desk.looked)
            cure = "they are looked at now and prove nothing as a vault any more"
            said.append(f"note: {vault_days.sentence(symbol, days, cure)}")
    return said

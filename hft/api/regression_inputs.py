"""From a replay as `replays.yaml` has it to a run: tapes, strategies, venue, limits and the rest.

Paths start at the folder of the file, those of tapes at another folder where one is given.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from hft.api.one_replay import replayed
from hft.core.errors import ConfigError
from hft.runs.code.sources import found_for
from hft.runs.durations import bounded_ns
from hft.runs.ingest import open_tapes, synthetic
from hft.runs.regression.file import Spec
from hft.runs.result import Run
from hft.runs.venues import Venue, named, written
from hft.strategies.base import Strategy
from hft.tape.dataset import Tapes

SYNTHETIC = "synthetic"
MARKET = {"seed": int, "events": int, "kind": str}


def replay_of(
    spec: Spec,
    tapes: str | None,
    out: str,
    *,
    fresh: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Run:
    """The run of a replay, recorded in full, or the sealed one of its key."""
    given = spec.given
    return replayed(
        tapes_of(spec, Path(tapes) if tapes is not None else spec.folder),
        strategies_of(spec),
        venue=venue_of(given.get("venue"), spec.folder),
        limits=near(spec.folder, given["limits"]) if "limits" in given else None,
        seed=given.get("seed", 0),
        start=given.get("start"),
        end=given.get("end"),
        faults=near(spec.folder, given.get("faults")),
        controls=near(spec.folder, given.get("controls")),
        record="full",
        out=out,
        fresh=fresh,
        progress=progress,
        advised=False,
    )


def near(folder: Path, given: Any) -> Any:
    """A file beside `replays.yaml` where there is one of that name; else as given."""
    if isinstance(given, str) and (folder / given).is_file():
        return str(folder / given)
    return given


def tapes_of(spec: Spec, root: Path) -> Tapes:
    """The tapes of a replay, chosen as it says."""
    given = spec.given["tapes"]
    if given == SYNTHETIC:
        given = {SYNTHETIC: {}}
    if isinstance(given, Mapping):
        found: Any = _market(given, root)
    else:
        names = [given] if isinstance(given, str) else given
        found = [str(root / str(name)) for name in names]
    return open_tapes(found, spec.given.get("days"), symbols=spec.given.get("symbols"))


def _market(given: Mapping[str, Any], root: Path) -> Tapes:
    """A synthetic market, made once below the folder: `{synthetic: {seed: 1, events: 50000}}`."""
    asked = given.get(SYNTHETIC)
    if list(given) != [SYNTHETIC] or not isinstance(asked, Mapping):
        raise ConfigError("tapes: write paths, or {synthetic: {seed: 1, events: 50000, kind: l2}}")
    for key, value in asked.items():
        if key not in MARKET or not isinstance(value, MARKET[key]) or isinstance(value, bool):
            raise ConfigError(f"tapes.synthetic: {key}: {value!r} is none of seed, events, kind")
    name = "-".join([SYNTHETIC, *(f"{key}{asked[key]}" for key in MARKET if key in asked)])
    return synthetic(out=root / "tapes" / name, **asked)


def strategies_of(spec: Spec) -> dict[str, Strategy]:
    """The strategies by name, with their parameters and clocks."""
    given = spec.given
    if "strategy" in given:
        one = _strategy(given["strategy"], given, spec.folder)
        return {one.name: one}
    asked = {
        name: one if isinstance(one, Mapping) else {"strategy": one}
        for name, one in given["strategies"].items()
    }
    return {str(name): _strategy(one["strategy"], one, spec.folder) for name, one in asked.items()}


def _strategy(name: str, given: Mapping[str, Any], folder: Path) -> Strategy:
    path, colon, attribute = name.partition(":")
    if path.endswith(".py"):
        name = f"{folder / path}{colon}{attribute}"
    made = found_for(name, plain=False).with_params(given.get("params"))
    if "every" in given:
        made = replace(made, every_ns=bounded_ns(given["every"], "every", 1))
    return made


def venue_of(given: Any, folder: Path) -> Venue | None:
    """A preset, with what is written beside it on top."""
    if given is None:
        return None
    if isinstance(given, str):
        return named(given)
    return written(given, folder)

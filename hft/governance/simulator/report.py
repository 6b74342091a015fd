"""The report on a simulated venue: made from run folders and own orders, signed, made again.

Runs are told apart by their own manifests: those on order-by-order tapes with an exact queue are
the truth of the queue, the others are the model, which is one venue. Own orders are a table, or in
a rehearsal a run. What a file says is believed where the same runs, still there and of the digests
it names, give the same figures again.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from hft.audit.keys import Keys
from hft.audit.sign import sign, signed_by, verify
from hft.core.errors import ConfigError, DataError, HftError
from hft.core.json_text import page
from hft.governance import provenance
from hft.governance.provenance import Statement
from hft.governance.sessions import replayed
from hft.governance.simulator import figures, orders
from hft.runs.ingest import open_tapes
from hft.runs.result import Run
from hft.storage.atomic import write_atomic
from hft.storage.chain import canonical

KIND = "simulator-report"
FOLDER = "research/registry/simulator"
PARTS = ("queue_against_l3", "fills_against_live", "latency_against_own")
COMPARE = dict(
    zip(
        PARTS,
        (figures.queue_figures, figures.fill_figures, figures.latency_figures),
        strict=True,
    )
)
OWN_SAYS = ("recorded", "live")
RELATIVE = 1e-9


@dataclass(frozen=True)
class Found:
    """What is on file: a hash of all reports, and what is wrong with them, empty where nothing."""

    sha256: str | None
    words: str = ""


def make(
    root: Path,
    venue: str,
    runs: Sequence[Path],
    own: Sequence[Path],
    *,
    says: str,
    source: str,
    now_ns: int,
    key: Path,
) -> Path:
    """Write the report of a venue. Raises: DataError, ConfigError, GovernanceError."""
    inputs = {
        "runs": [_named(path, root, Run.open(path).digest) for path in runs],
        "own": [_named(path, root, _sha256(path)) for path in own],
        "says": says,
        "source": source,
    }
    told = {
        "kind": KIND,
        "schema_version": 1,
        "venue": venue,
        "made_ns": int(now_ns),
        "inputs": inputs,
        **compared(root, inputs),
    }
    path = root / FOLDER / f"{venue}.json"
    write_atomic(path, page(told | {"signature": sign(_payload(told), key)}))
    return path


def compared(root: Path, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The simulated venue and the three parts, from the files named.

    Raises: DataError for one that is not there, another one, or lacks a counterpart.
    """
    runs = [_opened(root, one) for one in inputs["runs"]]
    truth = [run for run in runs if _exact(run)]
    model = [run for run in runs if not _exact(run)]
    for side, what in ((truth, "an exact queue (L3 tapes, queue fifo)"), (model, "the model")):
        if not side:
            raise DataError(f"simulator: there is no run with {what}; name one of each")
    venue = _one_venue(model, truth)
    _one_strategy(model, truth)
    own = pl.concat([_own(root, one) for one in inputs["own"]] or [orders.of_run(model[0]).clear()])
    if own.is_empty():
        raise DataError("simulator: there are no own orders; name them with --own")
    true, simulated = (pl.concat([orders.of_run(run) for run in side]) for side in (truth, model))
    sides = {PARTS[0]: (true, simulated), PARTS[1]: (own, simulated), PARTS[2]: (own, simulated)}
    found = {}
    for name, (one, other) in sides.items():
        try:
            found[name] = COMPARE[name](one, other)
        except DataError as error:
            raise DataError(f"simulator: {name}: {error}") from None
    return {"model": venue, **found}


def on_file(root: Path, keys: Keys, *, rehearsal: bool = False) -> Found:
    """The reports of a workspace, each made again; in a rehearsal what is wrong is only said."""
    digest = sha256_of(root)
    if digest is None:
        return Found(None, f"no simulator validation report in {FOLDER}; `hft alpha simulator`")
    known = provenance.statements(root, keys)
    for path in _files(root):
        try:
            wrong = next(_wrong(root, path, keys, known), "")
        except HftError as error:
            wrong = str(error)
        if wrong:
            words = f"{FOLDER}/{path.name}: {wrong}"
            return Found(digest if rehearsal else None, words)
    return Found(digest)


def sha256_of(root: Path) -> str | None:
    """Names and contents of the reports as they lie there; None without any."""
    digest, found = hashlib.sha256(), _files(root)
    for path in found:
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f"{path.name}:{content}\n".encode())
    return digest.hexdigest() if found else None


def _files(root: Path) -> list[Path]:
    return sorted((root / FOLDER).glob("*.json"))


def _wrong(root: Path, path: Path, keys: Keys, known: Sequence[Statement]) -> Iterator[str]:
    """What is wrong with a report, the cheapest first. Raises: HftError."""
    told = _read(path)
    signature = str(told.pop("signature", ""))
    name = signed_by(signature, keys).name
    verify(_payload(told), signature, name, keys, int(told["made_ns"]))
    inputs = told["inputs"]
    if inputs["says"] not in OWN_SAYS:
        yield f"its own orders are said to be {inputs['says']}, not {' or '.join(OWN_SAYS)}"
    for one in inputs["own"]:
        if _place(root, one).is_dir():
            yield f"{one['path']}: is a run; own orders are those of a venue, as a table"
    runs = [_opened(root, one) for one in inputs["runs"]]
    for run in runs:
        yield from _unmarketlike(run, known)
    for name, now in compared(root, inputs).items():
        if at := _differs(told.get(name), now, name):
            yield f"{at}: is not what its runs give"
    for run in runs:
        if wrong := replayed(run):
            yield f"{run.path.name}: {wrong}"


def _unmarketlike(run: Run, known: Sequence[Statement]) -> Iterator[str]:
    for tape in open_tapes([str(entry["path"]) for entry in run.manifest["tapes"]]):
        says = provenance.of_tape(tape, known).says
        if says not in OWN_SAYS:
            words = says or "not said to be recorded"
            yield f"{run.path.name}: its tape {tape.path.name} is {words}"


def _read(path: Path) -> dict[str, Any]:
    """Raises: DataError for a file that the product did not write."""
    try:
        told = json.loads(path.read_bytes())
        if told["kind"] != KIND:
            raise KeyError
        return dict(told)
    except (OSError, ValueError, KeyError, TypeError):
        raise DataError("is no report that `hft alpha simulator` wrote") from None


def _opened(root: Path, named: Mapping[str, Any]) -> Run:
    """Raises: DataError for a run that is not there or has another digest."""
    run = Run.open(_place(root, named))
    if run.digest != named["digest"] or not run.digest:
        raise DataError(f"{named['path']}: is not the run of digest {str(named['digest'])[:16]}")
    return run


def _own(root: Path, named: Mapping[str, Any]) -> pl.DataFrame:
    """Raises: DataError for a file that is not there or another one."""
    path = _place(root, named)
    if _sha256(path) != named["digest"]:
        raise DataError(f"{named['path']}: are not the own orders that the report names")
    return orders.of_run(Run.open(path)) if path.is_dir() else orders.of_table(path)


def _exact(run: Run) -> bool:
    return all(row["exact_queue"] for row in run.totals["markets"])


def _one_venue(model: Sequence[Run], truth: Sequence[Run]) -> dict[str, Any]:
    """The venue that is judged. Raises: ConfigError where runs have several."""
    venue = dict(model[0].config["venue"])
    for run in (*model, *truth):
        own = dict(run.config["venue"])
        left_out = ("queue", "queue_power") if run in truth else ()
        for name in venue:
            if name not in left_out and own.get(name) != venue[name]:
                raise ConfigError(
                    f"simulator: {run.path.name}: venue.{name} is {own.get(name)!r}, "
                    f"{venue[name]!r} in {model[0].path.name}; a report is of one venue"
                )
    return venue


def _one_strategy(model: Sequence[Run], truth: Sequence[Run]) -> None:
    """Raises: ConfigError for a run of the exact queue whose strategy the model did not run."""
    known = [_strategies(run) for run in model]
    for run in truth:
        if _strategies(run) not in known:
            raise ConfigError(
                f"simulator: {run.path.name}: no run of the model has its strategy and parameters"
            )


def _strategies(run: Run) -> dict[str, Any]:
    """Text and parameters by name."""
    told = run.config["strategies"]
    return {name: (one.get("source"), one.get("params")) for name, one in told.items()}


def _named(path: Path, root: Path, digest: str) -> dict[str, str]:
    whole = path.absolute()
    inside = whole.is_relative_to(root.absolute())
    name = whole.relative_to(root.absolute()).as_posix() if inside else str(whole)
    return {"path": name, "digest": digest}


def _place(root: Path, named: Mapping[str, Any]) -> Path:
    return root / str(named["path"])


def _sha256(path: Path) -> str:
    """Of a file, or the digest of a run. Raises: DataError."""
    if path.is_dir():
        return str(Run.open(path).digest)
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise DataError(f"{path}: {error.strerror or error}") from None


def _differs(then: Any, now: Any, name: str) -> str:
    """Where two trees of figures differ; empty where they do not."""
    if isinstance(now, Mapping) and isinstance(then, Mapping) and then.keys() == now.keys():
        each = (_differs(then[key], one, f"{name}.{key}") for key, one in now.items())
        return next(filter(None, each), "")
    if isinstance(now, list) and isinstance(then, list) and len(now) == len(then):
        pairs = enumerate(zip(then, now, strict=True))
        return next(filter(None, (_differs(a, b, f"{name}[{k}]") for k, (a, b) in pairs)), "")
    if isinstance(now, float) and isinstance(then, int | float):
        return "" if abs(then - now) <= RELATIVE * max(1.0, abs(now)) else name
    return "" if then == now else name


def _payload(told: Mapping[str, Any]) -> bytes:
    return b"hft-simulator:" + canonical(dict(told))

"""`hft.audit`: the trail of decisions from Python; the command line calls these and renders.

Every call reads the journal of the workspace; the database is asked where it has more to say. What
promotions, ledger and files know is gathered in `audit_facts`, as plain data.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from hft.api.anchoring import findings_of, journal_for, outside_of
from hft.api.audit_facts import ANCHORS, Promotions, anchors_of, beside, keys_of, trust_of
from hft.api.desk import MARKS, Desk, moment_ns, open_desk
from hft.api.evidence_files import evidence_files
from hft.audit import anchors as anchored
from hft.audit import pack as packing
from hft.audit.delivery import Delivery
from hft.audit.delivery import drain as _drain
from hft.audit.export import Export
from hft.audit.export import export as _export
from hft.audit.journal import Journal, Row
from hft.audit.overrides import Override
from hft.audit.overrides import overrides as _overrides
from hft.audit.pack import Pack
from hft.audit.retire import Retirement
from hft.audit.retire import retire as _retire
from hft.audit.verify import Verified
from hft.audit.verify import verify as _verify
from hft.core.errors import ConfigError, DataError, Unavailable
from hft.core.json_text import page
from hft.runs.nearest import nearest
from hft.storage.database import Source, opened

if TYPE_CHECKING:
    from hft.api.answers import Answer


def verify(
    root: str | Path | None = None,
    *,
    dsn: str | None = None,
    journal: str | Path | None = None,
    exports: Sequence[str | Path] = (),
    since: Any = None,
    config: str | None = None,
) -> Verified:
    """Chain, signatures, anchors, ledger, promotions and the database, compared row by row.

    From `since` on rows are compared and their signatures checked; the rest is always whole.
    `exports` are files of `hft audit export` to compare with, beside those that were noted.

    >>> import hft
    >>> hft.audit.verify().ok
    True
    """
    desk = _desk(root, journal, config=config)
    return verify_desk(desk, _journal(desk, journal), _source(desk, dsn), exports, _since(since))


def verify_desk(
    desk: Desk,
    journal: Journal,
    source: Source,
    exports: Sequence[str | Path] = (),
    since_ns: int = 0,
) -> Verified:
    """The same for an open desk."""
    keys, unreadable = keys_of(desk)
    heads = anchors_of(desk, keys) + [anchored.from_export_file(Path(path)) for path in exports]
    heads += outside_of(desk)
    gathered = Promotions(desk, keys)
    taken = journal_for(
        desk, journal, [(file.audit_head.seq, file.audit_head.hash) for file in gathered.files]
    )
    elsewhere, words = findings_of(desk, taken)
    found = _verify(
        taken,
        source if desk.settings.alpha_audit_enabled else None,
        keys=keys,
        anchors=heads,
        promotions=gathered.files,
        others=[*unreadable, *gathered.findings, *elsewhere],
        beside=lambda rows: beside(desk, rows, gathered),
        since_ns=since_ns,
    )
    return replace(found, extra={"trust": [*trust_of(desk, gathered), *words]})


def sql(
    query: str,
    root: str | Path | None = None,
    *,
    dsn: str | None = None,
    config: str | None = None,
) -> pl.DataFrame:
    """The rows of a query over the tables `audit.*`; what waits is delivered first.

    Raises: Busy, Unavailable when the database cannot be asked; DataError for a query that is
    refused, as one that would change anything is.

    >>> import hft
    >>> hft.audit.sql("SELECT count() AS rows FROM audit.alpha_gate_log").columns
    ['rows']
    """
    desk = open_desk(root, config=config)
    source = _source(desk, dsn)
    if desk.settings.alpha_audit_enabled:
        apply_schema(root, dsn=dsn, config=config)
        _drain(desk.auditor.journal, source)
    with opened(source) as database:
        return database.look(query)


def overrides(
    since: Any = None, root: str | Path | None = None, *, config: str | None = None
) -> pl.DataFrame:
    """Every time somebody went round a rule: forced, self-approved, asserted, waived, killed.

    >>> import hft
    >>> hft.audit.overrides().columns[:2]
    ['ts', 'kind']
    """
    desk = _desk(root, config=config)
    return override_frame(_overrides(desk.auditor.journal.rows(), _since(since)))


def overrides_report(found: pl.DataFrame, path: str | Path) -> Path:
    """The page of `overrides`, written to a file; its rows as JSON where the name ends so."""

    from hft.reports.governance.overrides import overrides_document
    from hft.reports.governance.pages import overrides_page
    from hft.reports.render import frame_json
    from hft.storage.atomic import write_atomic

    target = Path(path)
    if target.suffix == ".json":
        write_atomic(target, page(frame_json(found)))
        return target
    lines = found.with_columns(pl.col("ts").dt.epoch("ns")).to_dicts()
    write_atomic(target, overrides_page(overrides_document(lines)))
    return target


def asof(time: Any, root: str | Path | None = None, *, now: Any = None) -> "Answer":
    """What was live at a time, with weight, limits and signers; `hft.alpha.asof` is this.

    >>> import hft
    >>> hft.audit.asof("2026-01-05T16:00Z")["alphas"]
    []
    """
    from hft.api.answers import asof as standing

    return standing(time, root=root, now=now)


def pack(
    out: str | Path,
    *,
    alphas: Sequence[str] = (),
    runs: Sequence[str] = (),
    root: str | Path | None = None,
    journal: str | Path | None = None,
    config: str | None = None,
) -> Pack:
    """A zip that checks itself: rows, promotion files, pages, manifests, memo, keys, `verify.py`.

    Without `alphas` and `runs` every row is in it in full, and what every promotion stands on.
    Raises: DataError for an alpha or run that no row is about.

    >>> import hft
    >>> hft.audit.pack("evidence.zip", alphas=["demo"]).rows > 0
    True
    """
    desk = _desk(root, journal, config=config)
    gathered = Promotions(desk, desk.keys)
    wanted = set(alphas) | set(runs)
    own = list(_journal(desk, journal).rows())
    rows = [row for row in own if not wanted or wanted & _names(row)]
    _each_has_rows(wanted, own)
    files, missing = evidence_files(desk, alphas, runs, rows)
    keys = desk.workspace.keys
    return packing.pack(
        _journal(desk, journal),
        Path(out),
        wanted=lambda row: not wanted or bool(wanted & _names(row)),
        files=files,
        missing=missing,
        keys=desk.keys,
        keys_file=keys.read_bytes() if keys.is_file() else b"",
        signed=[one for one in gathered.signed if not alphas or one.place.split(":")[0] in files],
        anchors=[*anchors_of(desk, desk.keys), *gathered.anchors()],
    )


def show(
    since: Any = None,
    root: str | Path | None = None,
    *,
    dsn: str | None = None,
    journal: str | Path | None = None,
    config: str | None = None,
) -> list[Row]:
    """The rows of the journal from a time on, oldest first; hashes are not checked.

    With `dsn` the copies that this database has of them. Raises: Busy, Unavailable then.
    """
    desk = _desk(root, journal, config=config)
    kept, first = _journal(desk, journal), _since(since)
    rows = kept.rows() if dsn is None else _delivered(kept, _source(desk, dsn))
    return [row for row in rows if row["ts"] >= first]


def drain(
    root: str | Path | None = None,
    *,
    dsn: str | None = None,
    journal: str | Path | None = None,
    config: str | None = None,
) -> Delivery:
    """Bring every waiting row to the database. Raises: Busy, Unavailable."""
    desk = _desk(root, journal, config=config)
    return _drain(_journal(desk, journal), _source(desk, dsn))


def apply_schema(
    root: str | Path | None = None, *, dsn: str | None = None, config: str | None = None
) -> dict[str, Any]:
    """Make or migrate the tables. Raises: Busy, Unavailable, ConfigError."""
    from hft.audit import schema

    source = _source(open_desk(root, config=config), dsn)
    with opened(source) as database:
        applied = schema.apply(database)
        return {"database": source.shown, "version": schema.NEWEST, "applied": applied}


def export(
    out: str | Path,
    since: Any = None,
    root: str | Path | None = None,
    *,
    journal: str | Path | None = None,
    config: str | None = None,
) -> Export:
    """Write the journal to a file, and note its head in `research/registry` as an anchor."""
    desk = _desk(root, journal, config=config)
    folder = desk.root.joinpath(*ANCHORS)
    return _export(_journal(desk, journal), Path(out), folder, _since(since))


def retire(
    before: Any,
    reason: str,
    root: str | Path | None = None,
    *,
    dsn: str | None = None,
    journal: str | Path | None = None,
    now: Any = None,
    config: str | None = None,
) -> Retirement:
    """Take the rows before a time away; their count and hash stay in the chain.

    Raises: ConfigError for rows that decisions of today still stand on, those of 400 days.
    """
    from hft.audit.auditor import Auditor
    from hft.audit.retire import KEPT_DAYS, KEPT_NS

    desk = _desk(root, journal, now=now, config=config)
    before_ns = moment_ns(before, "--before")
    if before_ns > desk.now_ns - KEPT_NS:
        raise ConfigError(
            f"--before: {before} is less than {KEPT_DAYS} days ago; what was promoted or rolled "
            "back within a year is read from these rows, so they stay"
        )
    kept = _journal(desk, journal)
    source = _source(desk, dsn)
    auditor = Auditor(
        kept.folder, source, actor=desk.actor, keys_hash=desk.keys.hash, hmac_key=desk.hmac_key
    )
    return _retire(
        kept,
        source if desk.settings.alpha_audit_enabled else None,
        before_ns,
        reason,
        lambda table, row: auditor.record(table, row, now_ns=desk.now_ns),
    )


def override_frame(found: Sequence[Override]) -> pl.DataFrame:
    """Overrides as a table."""
    schema = {
        "ts": pl.Int64,
        "kind": pl.String,
        "alpha_id": pl.String,
        "subject": pl.String,
        "reason": pl.String,
        "actor": pl.String,
        "signed": pl.Boolean,
        "seq": pl.Int64,
    }
    rows = [{name: getattr(one, name) for name in schema} for one in found]
    frame = pl.DataFrame(rows, schema=schema)
    return frame.with_columns(pl.col("ts").cast(pl.Datetime("ns", "UTC")))


def _desk(root: Any, journal: Any = None, **given: Any) -> Desk:
    """The desk of a workspace, or of a journal that is named. Raises: DataError for neither."""
    desk = open_desk(root, **given)
    found = journal is not None or desk.found or desk.workspace.audit_journal.exists()
    if not found:
        raise DataError(
            f"{desk.root}: is in no workspace (no {' and no '.join(MARKS)} here or above), and "
            "nothing was ever recorded here; go to the workspace, or name its --journal"
        )
    return desk


def _delivered(journal: Journal, source: Source) -> list[Row]:
    from hft.audit import schema
    from hft.audit.compare import delivered

    if source.is_absent:
        raise Unavailable(f"{source.shown}: there is no database; `hft audit drain` makes it")
    with opened(source) as database:
        return delivered(database, journal.id) if schema.applied(database) else []


def _journal(desk: Desk, folder: str | Path | None) -> Journal:
    return desk.auditor.journal if folder is None else Journal(Path(folder), desk.hmac_key)


def _source(desk: Desk, dsn: str | None) -> Source:
    found = desk.database if dsn is None else desk.source(dsn)
    return replace(found, answer_s=300.0)  # somebody asked for it and waits


def _since(since: Any) -> int:
    return 0 if since is None else moment_ns(since, "--since")


def _each_has_rows(wanted: set[str], rows: Iterable[Row]) -> None:
    """Raises: DataError: evidence about an id that nobody has would prove nothing."""
    known = {name for row in rows for name in _names(row)}
    for name in sorted(wanted - known):
        raise DataError(
            f"{name}: no audit row is about it{nearest(name, sorted(known - {''})) or ';'} "
            "see `hft audit show`"
        )


def _names(row: Row) -> set[str]:
    """The alpha and run a row is about."""
    own = row["row"]
    return {str(own.get(name, "")) for name in ("alpha_id", "run_id", "scope", "subject")}


__all__ = ["asof", "overrides", "pack", "sql", "verify"]

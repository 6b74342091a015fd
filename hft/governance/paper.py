"""Paper-trade sessions of an alpha: one JSON file a session, and the one summary of them.

A figure that a session lacks makes the total of it absent, never zero: absent is not evidence. Gate
E reads the summary; a promotion refuses a folder with a file that is none.
"""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from hft.audit.keys import Keys
from hft.audit.sign import sign, signed_by, verify
from hft.core.errors import DataError, HftError, ValidationError
from hft.governance.provenance import SAYS
from hft.research.experiments import json_text, read_object
from hft.storage.atomic import write_atomic
from hft.storage.chain import canonical

SECOND = 1_000_000_000
SIGNATURE = "signature"
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


@dataclass(frozen=True)
class PaperSession:
    """Where one session comes from: `says` is empty where nobody said it, `signed_by` where nobody
    signed, or the signature does not fit. Units: UTC nanoseconds.
    """

    started_ns: int
    ended_ns: int
    says: str = ""
    symbol: str = ""
    signed_by: str = ""

    def overlaps(self, other: "PaperSession") -> bool:
        """Whether they are of one time."""
        return self.started_ns < other.ended_ns and other.started_ns < self.ended_ns


@dataclass(frozen=True)
class PaperSummary:
    """The sessions together; None where a session lacks what it needs.

    `problems` names each file that cannot be read or has no duration, and why.
    """

    session_count: int
    calendar_span_days: int
    distinct_trading_days: int
    min_session_duration_seconds: float | None
    invalid_session_duration_count: int
    drift_alerts_total: int | None
    execution_reject_rate_mean: float | None
    execution_reject_rate_p95: float | None
    regimes_covered: tuple[str, ...]
    unreadable_session_count: int
    problems: tuple[str, ...] = ()
    first_day: str | None = None  # YYYYMMDD of the oldest session
    sessions: tuple[PaperSession, ...] = ()

    @property
    def shortest_minutes(self) -> float | None:
        """The shortest session, minutes."""
        seconds = self.min_session_duration_seconds
        return None if seconds is None else seconds / 60

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready; where the files lie is not part of it."""
        plain = {name: value for name, value in self.__dict__.items() if name != "problems"}
        rows = [asdict(one) for one in self.sessions]
        return plain | {"regimes_covered": list(self.regimes_covered), "sessions": rows}


def log_session(
    experiments: Path,
    alpha_id: str,
    session_id: str,
    *,
    started_ns: int,
    ended_ns: int,
    drift_alerts: int | None = None,
    execution_reject_rate: float | None = None,
    regime: str | None = None,
    figures: Mapping[str, Any] | None = None,
    says: str = "",
    source: str = "",
    symbol: str = "",
    key: Path | None = None,
    now_ns: int | None = None,
) -> Path:
    """Write one session; the file appears whole. Where it comes from is said in `says` (recorded,
    live or synthetic) and `source`, and signed with the key where there is one, at `now_ns`.

    Raises: ValidationError for an odd id, rate or word.
    """
    if not _ID.fullmatch(session_id):
        raise ValidationError(f"session {session_id!r}: write letters, digits, _ . - only")
    if execution_reject_rate is not None and not 0 <= execution_reject_rate <= 1:
        raise ValidationError(
            f"session {session_id}: execution_reject_rate {execution_reject_rate!r} is no share"
        )
    if says and (says not in SAYS or not source.strip()):
        raise ValidationError(
            f"session {session_id}: says {says!r}: write one of {', '.join(SAYS)}, and in source "
            "who recorded it, from which feed"
        )
    row: dict[str, Any] = {
        "session_id": session_id,
        "alpha_id": alpha_id,
        "trading_day": _day(started_ns),
        "started_ns": int(started_ns),
        "ended_ns": int(ended_ns),
        "drift_alerts": drift_alerts,
        "execution_reject_rate": execution_reject_rate,
        "regime": regime,
        "says": says,
        "source": source,
        "symbol": symbol,
        "logged_ns": int(ended_ns if now_ns is None else now_ns),
        **dict(figures or {}),
    }
    row[SIGNATURE] = "" if key is None or not says else sign(_payload(row), key)
    path = sessions_folder(experiments, alpha_id) / f"{session_id}.json"
    write_atomic(path, json_text(row))
    return path


def sessions_folder(experiments: Path, alpha_id: str) -> Path:
    """Where the sessions of an alpha are."""
    return experiments / "paper_trade" / alpha_id / "sessions"


def summarize(folder: Path, alpha_id: str = "", keys: Keys | None = None) -> PaperSummary:
    """All sessions of a folder, signatures by `keys`; files that cannot be read, are of another
    alpha than the one named or of a time that another file has are counted and named."""
    rows: list[dict[str, Any]] = []
    problems: list[str] = []
    for path in sorted(folder.glob("[!.]*.json")):
        try:
            row = _checked(read_object(path), path)
            _new(row, rows, path, alpha_id)
            rows.append(row)
        except DataError as error:
            problems.append(str(error))
            continue
        if rows[-1]["ended_ns"] <= rows[-1]["started_ns"]:
            problems.append(f"{path}: ended_ns: is not after started_ns")
    spans = [(row["ended_ns"] - row["started_ns"]) / SECOND for row in rows]
    days = sorted({_day(row["started_ns"]) for row in rows})
    alerts = _all(rows, "drift_alerts")
    rates = _all(rows, "execution_reject_rate")
    invalid = sum(span <= 0 for span in spans)
    return PaperSummary(
        len(rows),
        _span_days(days),
        len(days),
        min((span for span in spans if span > 0), default=None),
        invalid,
        None if alerts is None else int(sum(alerts)),
        None if rates is None else float(np.mean(rates)),
        None if rates is None else float(np.quantile(rates, 0.95)),
        tuple(sorted({str(row["regime"]) for row in rows if row.get("regime")})),
        len(problems) - invalid,
        tuple(problems),
        days[0] if days else None,
        tuple(_session(row, keys) for row in rows),
    )


def _session(row: Mapping[str, Any], keys: Keys | None) -> PaperSession:
    says = str(row.get("says") or "")
    return PaperSession(
        row["started_ns"],
        row["ended_ns"],
        says if says in SAYS else "",
        str(row.get("symbol") or ""),
        "" if keys is None else _signer(row, keys),
    )


def _signer(row: Mapping[str, Any], keys: Keys) -> str:
    """Who signed, by a key that counted when the session was logged; empty for nobody."""
    signature = str(row.get(SIGNATURE) or "")
    try:
        name = signed_by(signature, keys).name
        return verify(_payload(row), signature, name, keys, int(row["logged_ns"])).name
    except (HftError, KeyError, TypeError, ValueError):
        return ""


def _payload(row: Mapping[str, Any]) -> bytes:
    told = {name: value for name, value in row.items() if name != SIGNATURE}
    return b"hft-paper:" + canonical(told)


def _all(rows: list[dict[str, Any]], name: str) -> list[float] | None:
    """The figure of every session, None when one has none or it is no number."""
    values = [row.get(name) for row in rows]
    numbers = [
        float(value)
        for value in values
        if isinstance(value, int | float) and not isinstance(value, bool) and np.isfinite(value)
    ]
    return numbers if values and len(numbers) == len(values) else None


def _checked(row: dict[str, Any], path: Path) -> dict[str, Any]:
    for name in ("started_ns", "ended_ns"):
        if isinstance(row.get(name), bool) or not isinstance(row.get(name), int):
            raise DataError(f"{path}: {name}: {row.get(name)!r} is no time in ns")
    return row


def _new(row: dict[str, Any], before: list[dict[str, Any]], path: Path, alpha_id: str) -> None:
    """Raises: DataError for a session of another alpha, or one that counts already."""
    whose = row.get("alpha_id")
    if alpha_id and whose is not None and whose != alpha_id:
        raise DataError(f"{path}: alpha_id: is a session of {whose}, not of {alpha_id}")
    if any(
        one["started_ns"] < row["ended_ns"] and row["started_ns"] < one["ended_ns"]
        for one in before
    ):
        raise DataError(f"{path}: started_ns: another session has this time; each counts once")


def _span_days(days: list[str]) -> int:
    """Calendar days from the first to the last, both counted."""
    if not days:
        return 0
    first, last = (datetime.strptime(day, "%Y%m%d") for day in (days[0], days[-1]))
    return (last - first).days + 1


def _day(ns: int) -> str:
    return datetime.fromtimestamp(ns // SECOND, UTC).strftime("%Y%m%d")

"""Who may sign, from Python: shown, added to, revoked and signed under a root of trust.

Each step leaves an audit row, a refusal too. Without `HFT_TRUST_ROOT` the keys file counts as it
lies there, and is edited by hand.
"""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from hft.api.desk import Desk, open_desk
from hft.api.promotion import needed_key
from hft.audit import keychange
from hft.audit.keychange import Step
from hft.core.errors import ConfigError, GovernanceError, HftError
from hft.storage.atomic import write_atomic
from hft.storage.lock import locked


def show(root: str | Path | None = None, *, config: str | None = None) -> dict[str, Any]:
    """The keys that count, on whose word, and what does not hold.

    >>> from hft.api import keys
    >>> keys.show()["rooted"]
    False
    """
    desk = open_desk(root, config=config)
    trust = desk.trust
    rows = [
        {
            "name": key.name,
            "roles": ", ".join(key.roles),
            "fingerprint": key.fingerprint,
            "counts": key.refusal(desk.now_ns) or "yes",
        }
        for key in trust.keys
    ]
    words = {"trust": trust.words, "wrong": trust.wrong, "rooted": trust.root is not None}
    return {"keys": rows, **words, "quorum": trust.root.quorum if trust.root else None}


def add(
    name: str,
    public: str | Path,
    *,
    roles: Sequence[str],
    emails: Sequence[str] = (),
    key: str | Path | None = None,
    root: str | Path | None = None,
    now: Any = None,
) -> Step:
    """Ask that a person's key counts from now on; the first signature of the quorum is one's own.

    Raises: ConfigError without a root, GovernanceError for a key without a vote.
    """

    def text(desk: Desk) -> str:
        try:
            line = Path(public).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "is not text"
            raise ConfigError(f"--pub {public}: {reason}; name a .pub file") from None
        more: dict[str, Any] = {"emails": emails, "roles": roles, "from_ns": desk.now_ns}
        return keychange.with_key(desk.trust.keys, name, line, **more)

    return _asked(text, f"add a key of {name}", key, root, now)


def revoke(
    who: str,
    *,
    key: str | Path | None = None,
    root: str | Path | None = None,
    now: Any = None,
) -> Step:
    """Ask that every key of a person, or the one with a fingerprint, counts no more from now on.

    Raises: ConfigError without a root, GovernanceError where nobody is meant.
    """

    def text(desk: Desk) -> str:
        return keychange.without_key(desk.trust.keys, who, desk.now_ns)

    return _asked(text, f"revoke {who}", key, root, now)


def sign(
    *,
    key: str | Path | None = None,
    tell: Callable[[str], None] | None = None,
    root: str | Path | None = None,
    now: Any = None,
) -> Step:
    """One's signature for the change that waits; `tell` hears first what it does."""
    desk = open_desk(root, now=now)

    def signed() -> Step:
        waiting = keychange.waiting(desk.workspace.keys, desk.trust)
        for line in keychange.difference(desk.trust.keys, waiting.text):
            (tell or (lambda line: None))(line)
        signing = needed_key(desk, key)
        return keychange.signed(desk.workspace.keys, desk.trust, waiting, signing, desk.now_ns)

    return _recorded(desk, "sign a change of the keys", signed)


def restore(
    *, root: str | Path | None = None, now: Any = None, config: str | None = None
) -> Path | None:
    """Write the keys file as the signed changes have it; None where it says that already.

    Raises: ConfigError without a root, GovernanceError where the changes themselves do not hold.
    """
    desk = open_desk(root, now=now, config=config)
    path = desk.workspace.keys
    keychange.assert_rooted(desk.trust, path)
    if not desk.trust.wrong:
        _finished(desk)
        return None
    if desk.trust.place != str(path):
        raise GovernanceError(desk.trust.wrong)
    write_atomic(path, keychange.text_of(desk.trust.keys))
    _finished(open_desk(root, now=now, config=config))
    return path


def _finished(desk: Desk) -> None:
    """What a crash kept from the changes so far."""
    record = partial(desk.auditor.record, "control_log", now_ns=desk.now_ns)
    keychange.complete(desk.workspace.keys, desk.trust, desk.auditor.rows(), record)


def _asked(
    text: Callable[[Desk], str], what: str, key: str | Path | None, root: Any, now: Any
) -> Step:
    desk = open_desk(root, now=now)

    def proposed() -> Step:
        keychange.assert_rooted(desk.trust, desk.workspace.keys)
        signing, path = needed_key(desk, key), desk.workspace.keys
        _ = desk.keys  # a file that nobody signed is put right first
        return keychange.propose(path, desk.trust, text(desk), signing, desk.now_ns)

    return _recorded(desk, what, proposed)


def _recorded(desk: Desk, what: str, act: Callable[[], Step]) -> Step:
    """The step, and its row; a refusal is one, too."""
    try:
        # Two who sign at once would both make the last row of the quorum.
        with locked(desk.workspace.state / "keys.lock", doing="is changing the keys"):
            _finished(desk)
            step = act()
            cause = f"{what}: signed by {', '.join(step.signers)}"
            told = {"n": step.number, "row_hash": step.row_hash, "signers": list(step.signers)}
            _row(desk, cause, {**told, "after": step.after}, step.number if step.applied else 0)
    except HftError as error:
        _row(desk, f"refused: {what}: {error}", {})
        desk.auditor.deliver()
        raise
    desk.auditor.deliver()
    return step


def _row(desk: Desk, cause: str, evidence: dict[str, Any], number: int = 0) -> None:
    values = keychange.row_of(cause, evidence, number)
    desk.auditor.record("control_log", values, now_ns=desk.now_ns)


__all__ = ["add", "restore", "revoke", "show", "sign"]

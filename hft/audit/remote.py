"""The journal's rows in a git repository elsewhere, which lets nobody take a commit back.

One branch a journal; each commit carries the rows since the one before in its message, so that a
later commit cannot take them away. It decides which rows the remote keeps and whether a journal is
still the one that they are of; whether the remote holds what it promises is tried on a branch of
its own. Every answer asks the remote, and is read in a folder of this call that nobody else knows:
git believes what it finds in a folder (another URL, objects put for others, a history cut short).
"""

import shutil
import subprocess
import tempfile
import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from hft.audit.journal import FIRST_TABLE, Journal, Row
from hft.core.errors import ConfigError, GovernanceError, JournalError, Unavailable
from hft.storage.chain import GENESIS, Head
from hft.storage.chain_row import NotARow, parse, parse_whole

VARIABLE = "HFT_ANCHOR_REMOTE"
BRANCHES = "refs/heads/hft-anchors/"
PROBE = f"{BRANCHES}probe"
HERE = "refs/anchors/"
TIMEOUT_S = 30.0
TRIES = 3
# Nothing of the person's own set-up decides here: no prompt, hook, or signature.
ENVIRONMENT = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_SSH_COMMAND": "ssh -o BatchMode=yes -o ConnectTimeout=10",
    "LC_ALL": "C",
    **{f"GIT_{who}_NAME": "hft" for who in ("AUTHOR", "COMMITTER")},
    **{f"GIT_{who}_EMAIL": "hft@localhost" for who in ("AUTHOR", "COMMITTER")},
}
# What would lead git to another repository than its own folder.
FORGOTTEN = [
    word
    for name in ("DIR", "WORK_TREE", "INDEX_FILE", "OBJECT_DIRECTORY", "COMMON_DIR", "NAMESPACE")
    for word in ("-u", f"GIT_{name}")
]
OPTIONS = ("core.hooksPath=/dev/null", "commit.gpgSign=false", "gc.auto=0")
PROBE_DATE = "2020-01-01T00:00:00Z"


def folder_of(url: str) -> str | None:
    """The folder that a URL means, as git reads it; None for one on another machine."""
    if url.startswith("file://"):
        return unquote(url.removeprefix("file://"))
    return None if ":" in url.partition("/")[0] or "://" in url else url


@dataclass(frozen=True)
class Kept:
    """What the remote keeps of one journal; `doubts` are commits whose rows do not follow."""

    journal_id: str
    lines: tuple[bytes, ...]
    rows: tuple[Row, ...]
    tip: str
    doubts: tuple[str, ...] = ()

    @property
    def head(self) -> Head:
        """The newest row that is kept."""
        last = self.rows[-1] if self.rows else None
        return Head(0, GENESIS) if last is None else Head(last["seq"], last["row_hash"])


class Remote:
    """A repository by its URL; one that git finds in the folder `outside_of` is none."""

    def __init__(
        self, url: str, key: bytes | None = None, *, outside_of: Path | None = None
    ) -> None:
        self.url, self.key, self.outside_of = url, key, outside_of
        self._folder: Path | None = None

    def kept(self) -> dict[str, Kept]:
        """What the remote has of every journal now. Raises: Unavailable when it does not answer."""
        self._begin()
        spec = f"+{BRANCHES}*:{HERE}*"
        self._answer(["fetch", "--quiet", "--prune", "--no-tags", "--", self.url, spec])
        names = self._git(["for-each-ref", "--format=%(refname)", HERE]).stdout.decode().split()
        found = {}
        for name in names:
            if name.removeprefix(HERE) != PROBE.removeprefix(BRANCHES):
                journal = name.removeprefix(HERE)
                found[journal] = self._read(journal, name)
        return found

    def push(self, journal: Journal) -> int:
        """Bring the rows that the remote has not; returns how many.

        Raises: Unavailable where it does not answer or refuses, GovernanceError for a journal that
        lacks a row which the remote keeps, or has another one.
        """
        for last in range(TRIES, 0, -1):
            there = self.kept().get(journal.id)
            lines = journal.raw_lines()
            wrong = disagreement(lines, there)
            if wrong:
                raise GovernanceError(wrong)
            new = [line for line in lines if line.endswith(b"\n") and _seq(line) > _last(there)]
            if not new:
                return 0
            commit = self._commit(new, there.tip if there else "")
            spec = f"{commit}:{BRANCHES}{journal.id}"
            done = self._git(["push", "--quiet", "--porcelain", "--", self.url, spec])
            if done.returncode == 0:
                return len(new)
            if last == 1 or b"[rejected]" not in done.stdout:  # else somebody was quicker
                raise self._away(done)
        raise AssertionError("the loop ends by return or raise")

    def promises(self) -> tuple[str, str]:
        """What the remote allows that it must not, and what nobody could find out; empty: nothing.

        Tried on a branch of its own, of two commits that are always the same.
        """
        self._begin()
        tree = self._git(["mktree"], b"").stdout.decode().strip()
        first = self._probe_commit(tree, "one", "")
        second = self._probe_commit(tree, "two", first)
        push = ["push", "--porcelain", "--force", "--", self.url]
        if self._git([*push[:2], *push[3:], f"{second}:{PROBE}"]).returncode != 0:
            return "", "whether it refuses deletion is not known: it takes nothing from here"
        allowed = []
        if self._git([*push, f"{first}:{PROBE}"]).returncode == 0:
            allowed.append("a branch can be set back")
        if self._git([*push, f":{PROBE}"]).returncode == 0:
            allowed.append("a branch can be deleted")
        if not allowed:
            return "", ""
        self._git([*push, f"{second}:{PROBE}"])
        return f"{self.url}: {' and '.join(allowed)}, so that an anchor there can be taken back", ""

    def _read(self, journal: str, name: str) -> Kept:
        text = self._git(["log", "--reverse", "--format=%H%n%B%x00", name]).stdout
        lines: list[bytes] = []
        rows: list[Row] = []
        doubts: list[str] = []
        tip = ""
        for part in text.split(b"\0"):
            head, _, body = part.strip(b"\n").partition(b"\n")
            if not head:
                continue
            tip = head.decode()
            for line in body.splitlines()[2:]:
                row = _follows(line, rows, self.key)
                if row is None:
                    doubts.append(
                        f"commit {tip[:12]} of {self.url} adds a row that does not follow"
                    )
                    break
                rows.append(row)
                lines.append(line + b"\n")
        return Kept(journal, tuple(lines), tuple(rows), tip, tuple(doubts))

    def _commit(self, lines: Sequence[bytes], parent: str) -> str:
        tree = self._git(["mktree"], b"").stdout.decode().strip()
        title = f"hft audit rows {_seq(lines[0])} to {_seq(lines[-1])}\n\n".encode()
        above = ["-p", parent] if parent else []
        done = self._git(["commit-tree", tree, *above, "-F", "-"], title + b"".join(lines))
        if done.returncode != 0:
            raise JournalError(f"git cannot make an anchor: {_said(done)}")
        return done.stdout.decode().strip()

    def _probe_commit(self, tree: str, text: str, parent: str) -> str:
        dates = dict.fromkeys(("GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"), PROBE_DATE)
        above = ["-p", parent] if parent else []
        words = ["commit-tree", tree, *above, "-m", f"hft tries what this remote allows: {text}"]
        return self._git(words, more=dates).stdout.decode().strip()

    def _begin(self) -> None:
        """The folder of this call. Raises: ConfigError for a URL that git has another one for."""
        if self._folder is not None:
            return
        try:
            folder = Path(tempfile.mkdtemp(prefix="hft-anchors-"))
        except OSError as error:
            words = error.strerror or str(error)
            raise Unavailable(f"no folder to ask the anchor remote from: {words}") from None
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        self._folder = folder
        self._answer(["init", "--quiet", "--bare", "--template=", "."])
        done = self._git(["ls-remote", "--get-url", "--", self.url])
        place = folder_of(done.stdout.decode("utf-8", "surrogateescape").strip())
        inside = None if self.outside_of is None else self.outside_of.resolve()
        if place and inside and Path(place).resolve().is_relative_to(inside):
            raise ConfigError(
                f"{VARIABLE}: {self.url}: lies in the workspace {inside}, as git is set up to read "
                "it (`git config --get-regexp insteadof`); take that setting out"
            )

    def _answer(self, words: list[str]) -> None:
        done = self._git(words)
        if done.returncode != 0:
            raise self._away(done)

    def _away(self, done: "subprocess.CompletedProcess[bytes]") -> Unavailable:
        return Unavailable(f"the anchor remote {self.url} does not take part: {_said(done)}")

    def _git(
        self, words: list[str], data: bytes = b"", more: dict[str, str] | None = None
    ) -> "subprocess.CompletedProcess[bytes]":
        options = [word for option in OPTIONS for word in ("-c", option)]
        settings = [f"{name}={value}" for name, value in {**ENVIRONMENT, **(more or {})}.items()]
        try:
            return subprocess.run(
                ["env", *FORGOTTEN, *settings, "git", *options, *words],
                cwd=self._folder,
                input=data,
                capture_output=True,
                timeout=TIMEOUT_S,
                check=False,
            )
        except FileNotFoundError:
            raise Unavailable("git is not installed; anchors are kept with it") from None
        except subprocess.TimeoutExpired:
            raise Unavailable(
                f"the anchor remote {self.url} did not answer within {TIMEOUT_S:.0f} s"
            ) from None


@dataclass(frozen=True)
class Anchored:
    """What the remote keeps; None where there is none, or `away` says why it was not asked.

    `wrong`: where the journal here lacks a row that the remote keeps, or has another one.
    """

    kept: Mapping[str, Kept] | None
    wrong: str = ""
    away: str = ""

    def assert_reached(self) -> None:
        """Raises: Unavailable where a remote is named and does not answer."""
        if self.away:
            raise Unavailable(f"{self.away}; nothing was changed, try again when it answers")


def anchored(
    remote: Remote | None, journal: Journal, rival: Callable[[Mapping[str, Kept]], str]
) -> Anchored:
    """Ask the remote now; never raises because it is away. `rival` names another journal of the
    workspace among those kept.
    """
    if remote is None:
        return Anchored(None)
    try:
        kept = remote.kept()
    except Unavailable as error:
        return Anchored(None, away=str(error))
    lines = journal.raw_lines()
    return Anchored(kept, disagreement(lines, kept_of(kept, lines)) or rival(kept))


def kept_of(kept: Mapping[str, Kept], lines: Sequence[bytes]) -> Kept | None:
    """What the remote keeps of the journal with these lines, whatever became of some of them."""
    here = set(_hashes(lines).values())
    shared = {name: sum(row["row_hash"] in here for row in one.rows) for name, one in kept.items()}
    best = max(sorted(shared), key=lambda name: shared[name], default="")
    return kept[best] if shared.get(best) else None


def disagreement(lines: Sequence[bytes], there: Kept | None) -> str:
    """Where a journal lacks a row that the remote keeps, or has another; empty where it does not.

    Rows before the first that is here may have been retired.
    """
    if there is None or not there.rows:
        return ""
    here = _hashes(lines)
    begin = min((seq for seq in here if seq > 1), default=2)
    for row in there.rows:
        seq = row["seq"]
        if seq in here and here[seq] != row["row_hash"]:
            return f"row {seq} of the journal is not the one that the anchor remote keeps; {CURE}"
        if seq not in here and seq >= begin:
            told = changes_told(row for row in there.rows if row["seq"] >= seq)
            return f"the journal ends before row {seq}, which the anchor remote keeps{told}; {CURE}"
    return ""


CURE = "`hft audit verify` says more, and `hft audit restore` brings it back"


def changes_told(rows: Iterable[Row]) -> str:
    """What a range of rows says of promotions, in words."""
    told = []
    for row in rows:
        own = row["row"]
        kind = own.get("kind")
        if row["table"] == "control_log" and kind == "promotion" and "incident" not in own["cause"]:
            told.append(f"row {row['seq']}: {own['scope']} {own['new_state']}")
    return f" ({'; '.join(told)})" if told else ""


def readable(lines: Iterable[bytes]) -> list[Row]:
    """The lines that are rows, whatever stands between them; no hash is checked."""
    found = []
    for line in lines:
        try:
            row = parse(line.rstrip(b"\n"))
            _ = int(row["seq"]), row["row_hash"], row["row"], row["table"]
            found.append(row)
        except (NotARow, KeyError, ValueError, TypeError):
            continue
    return found


def _hashes(lines: Sequence[bytes]) -> dict[int, str]:
    return {int(row["seq"]): str(row["row_hash"]) for row in readable(lines)}


def _follows(line: bytes, rows: Sequence[Row], key: bytes | None) -> Row | None:
    """The row of a line, when it follows those before it."""
    try:
        row = parse_whole(line, key)
    except NotARow:
        return None
    if not rows:
        return row if row.get("table") == FIRST_TABLE else None
    before = rows[-1]
    if len(rows) == 1 and row["seq"] > 2:
        return row  # those before it were retired
    fits = row["seq"] == before["seq"] + 1 and row["prev_hash"] == before["row_hash"]
    return row if fits else None


def _seq(line: bytes) -> int:
    try:
        return int(parse(line.rstrip(b"\n"))["seq"])
    except (NotARow, KeyError, ValueError, TypeError):
        raise JournalError("the journal has a line that is no row; it is not anchored") from None


def _last(there: Kept | None) -> int:
    return there.head.seq if there else 0


def _said(done: "subprocess.CompletedProcess[bytes]") -> str:
    text = (done.stderr + b"\n" + done.stdout).decode("utf-8", "replace")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    wanted = [line for line in lines if line.startswith(("fatal:", "error:", "remote:", "!"))]
    return (wanted or lines or [f"git ended with {done.returncode}"])[0]

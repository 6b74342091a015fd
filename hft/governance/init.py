"""A workspace in a folder: where alphas, ledger, keys and configuration stand.

Works without a checkout: what it copies comes with the package. It writes what is missing and
leaves what is there; a workspace that exists is an error unless forced, and then still nothing is
written over but the templates.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hft.audit import keys as audit_keys
from hft.audit.sign import generate
from hft.core.errors import ConfigError, ValidationError
from hft.research.alphas import examples
from hft.research.alphas.scaffold import AlreadyThere
from hft.storage.atomic import write_atomic

FOLDERS = (
    *("research/alphas", "research/alphas/_templates", "research/backtest", "research/registry"),
    *("research/knowledge", "research/tools", "research/ledger/returns"),
    *("research/combinatorial/results", "research/rl", "config/strategy_promotions"),
    *(f"research/data/{name}" for name in ("raw", "interim", "processed", "models")),
    *(
        f"research/experiments/{name}"
        for name in ("runs", "comparisons", "validations", "promotions", "paper_trade")
    ),
)
KEPT = (
    *("research/ledger/returns", "research/backtest", "research/registry", "research/knowledge"),
    *("research/tools", "research/rl", "research/combinatorial/results"),
    "config/strategy_promotions",
)
IGNORED = """\
# Made by `hft init`: what belongs to this machine or can be made again. The ledger is tracked.
.state/
.venv/
.wal/
__pycache__/
.pytest_cache/
*.aside
/runs/
/tapes/
research/experiments/
research/data/
"""
README = """\
# A workspace of hft

    hft alpha scaffold my_alpha --from order_flow_imbalance
    hft alpha try my_alpha --data DATA         # explore split only, free
    hft alpha validate my_alpha --data DATA    # gates A, B, C; a trial

`research/alphas` holds one folder for each alpha, `research/ledger` every trial (keep it in git),
`config/keys.yaml` who may sign as what, `config/governance` the thresholds. `.state` is of this
machine: it holds your private key and is not for git.
"""

REHEARSAL_NS = 946_684_800_000_000_000  # 2000-01-01


@dataclass(frozen=True)
class Made:
    """What was made."""

    root: Path
    files: tuple[str, ...]
    signer: str
    fingerprint: str
    key: str

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "root": str(self.root),
            "files": list(self.files),
            "signer": self.signer,
            "fingerprint": self.fingerprint,
            "key": self.key,
        }


def init(
    root: Path,
    config: Path,
    *,
    user: str,
    now_ns: int,
    public_key: Path | None = None,
    force: bool = False,
    rehearsal: bool = False,
) -> Made:
    """Make the workspace; `config` is the folder of shipped configuration.

    Raises: AlreadyThere for a folder that holds one, ConfigError for a key that cannot be read.
    """
    _free(root, force)
    public = _public(public_key) if public_key is not None else None
    for name in FOLDERS:
        (root / name).mkdir(parents=True, exist_ok=True)
    files: list[str] = []
    for name in KEPT:
        _put(root, f"{name}/.gitkeep", "", files)
    _put(root, ".gitignore", IGNORED, files)
    _put(root, "README.md", README, files)
    _copy(config, root / "config", root, files)
    if rehearsal:
        _rehearse(root)
    templates = examples.folder()
    if templates is not None:
        _copy(templates / examples.TEMPLATES, root / "research/alphas/_templates", root, files)
    # The calendar of a rehearsal is walked from any day on.
    since_ns = REHEARSAL_NS if rehearsal else now_ns
    key, fingerprint = _register(root, user, since_ns, public, files)
    return Made(root, tuple(sorted(files)), user, fingerprint, key)


def _free(root: Path, force: bool) -> None:
    if root.exists() and not root.is_dir():
        raise AlreadyThere(f"{root}: is a file; name a folder")
    if not force and any((root / mark).exists() for mark in ("research", "config/keys.yaml")):
        raise AlreadyThere(f"{root}: is a workspace already; --force adds what is missing")


def _public(path: Path) -> str:
    """The text of a public key. Raises: ConfigError; a private key is refused unread by others."""
    try:
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise ConfigError(f"--key {path}: cannot be read ({reason}); name a .pub file") from None
    if not text.startswith("ssh-ed25519 "):
        raise ConfigError(
            f"--key {path}: is no ed25519 public key; name the .pub file of `ssh-keygen -t ed25519`"
        )
    return text


def _put(root: Path, name: str, text: str, files: list[str]) -> None:
    path = root / name
    if not path.exists():
        write_atomic(path, text)
        files.append(name)


def _copy(source: Path, target: Path, root: Path, files: list[str]) -> None:
    """Files that are missing, from the package."""
    if not source.is_dir():
        raise ValidationError(f"{source}: is missing from this installation; install hft again")
    for path in sorted(source.rglob("*")):
        inside = path.relative_to(source)
        # A checkout's own keys and promotions are not configuration that ships.
        own = inside.parts[0] in ("strategy_promotions", "keys.yaml")
        if path.is_file() and not own and "__pycache__" not in inside.parts:
            made = target / inside
            if not made.exists():
                made.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, made)
                files.append(made.relative_to(root).as_posix())


def _rehearse(root: Path) -> None:
    """A workspace whose clock may be set: the decisions made in it say so."""
    path = root / "config" / "default.yaml"
    text = path.read_text(encoding="utf-8")
    changed = "".join(
        "  rehearsal: true\n" if line.lstrip().startswith("rehearsal:") else line
        for line in text.splitlines(keepends=True)
    )
    if changed == text:
        changed = f"{text.rstrip()}\n\nalpha.rehearsal: true\n"
    write_atomic(path, changed)


def _register(
    root: Path, user: str, now_ns: int, public: str | None, files: list[str]
) -> tuple[str, str]:
    """The first key of the workspace: the one given, else a new one under `.state/keys`."""
    listed = root / "config" / "keys.yaml"
    if listed.exists():
        known = audit_keys.Keys.read(listed)
        return "", known.rows[0].fingerprint if len(known) else ""
    private = root / ".state" / "keys" / f"{user}"
    place = ""
    if public is None:
        if not private.exists():
            generate(private, user)
        public = private.with_name(private.name + ".pub").read_text(encoding="utf-8").strip()
        place = str(private.relative_to(root))
    row = audit_keys.entry(user, public, from_ns=now_ns)
    write_atomic(listed, audit_keys.dump([row]))
    files.append("config/keys.yaml")
    return place, audit_keys.Keys.read(listed).rows[0].fingerprint

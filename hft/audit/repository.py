"""Git asked in a repository that others can write: it runs no program that the repository names.

A line of the repository's settings makes git start a program whenever it looks at files (a filter,
a file system monitor), signs a tag or finds an object missing; a file of its hooks when something
is written. Whoever can write in the workspace would run it as the person who approves there.
"""

import subprocess
from pathlib import Path

TIMEOUT_S = 20.0
SCOPES = ("local", "worktree")  # what lies in the repository; the others are the person's own
OPTIONS = (
    *("core.fsmonitor=false", "core.hooksPath=/dev/null", "log.showSignature=false"),
    *("gpg.ssh.program=ssh-keygen", "gpg.ssh.defaultKeyCommand=", "protocol.allow=never"),
)
ENVIRONMENT = ("GIT_OPTIONAL_LOCKS=0", "GIT_NO_LAZY_FETCH=1", "GIT_NO_REPLACE_OBJECTS=1")
FILTER = "filter."


def ask(
    root: Path, words: list[str], text: str | None = None
) -> "subprocess.CompletedProcess[bytes] | None":
    """What git says; None where it is not installed. Raises: TimeoutExpired."""
    named = _run(root, ["config", "--show-scope", "-z", "--name-only", "--get-regexp", "^filter"])
    if named is None:
        return None
    cells = named.stdout.decode("utf-8", "surrogateescape").split("\0")
    pairs = zip(cells[::2], cells[1::2], strict=False)
    drivers = {name.rpartition(".")[0] for scope, name in pairs if scope in SCOPES}
    none = [
        word
        for driver in sorted(drivers)
        for what in ("clean=", "smudge=", "process=", "required=false")
        for word in ("-c", f"{driver}.{what}")
    ]
    return _run(root, [*none, *words], text)


def _run(
    root: Path, words: list[str], text: str | None = None
) -> "subprocess.CompletedProcess[bytes] | None":
    options = [word for option in OPTIONS for word in ("-c", option)]
    try:
        return subprocess.run(
            ["env", *ENVIRONMENT, "git", *options, "-C", str(root), *words],
            input=None if text is None else text.encode(),
            stdin=subprocess.DEVNULL if text is None else None,
            capture_output=True,
            timeout=TIMEOUT_S,
            check=False,
        )
    except FileNotFoundError:
        return None

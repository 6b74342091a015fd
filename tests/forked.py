"""Processes that start with hft already imported: one imports it, and each case is a fork of it.

A child is a process of its own, with its own signals, folder and end, that does not import for two
seconds first. The parent only imports: no thread and no lock is copied half used.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

SERVER = """
import json, os, sys
{imports}

def child(case):
    os.chdir(case["cwd"])
    os.environ.clear()
    os.environ.update(case["env"])
    for number, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(case[name], os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    exec(compile(case["script"], "<case>", "exec"), {{"__name__": "__main__"}})
    sys.exit()

for line in sys.stdin:
    pid = os.fork()
    if pid == 0:
        child(json.loads(line))
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
"""


class Forks:
    """One process in `folder` that has run `imports`; `run` runs a script in a fork of it."""

    def __init__(self, folder: Path, imports: str) -> None:
        self.folder = folder
        words = [sys.executable, "-c", SERVER.format(imports=imports)]
        self.server = subprocess.Popen(
            words, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def run(self, script: str, cwd: Path) -> "subprocess.CompletedProcess[str]":
        """What `python -c script` in `cwd` says and returns, in the environment of this moment."""
        said = {name: self.folder / f"{name}.txt" for name in ("out", "err")}
        case: dict[str, Any] = {"script": script, "cwd": str(cwd), "env": dict(os.environ)}
        case |= {name: str(path) for name, path in said.items()}
        assert self.server.stdin is not None and self.server.stdout is not None
        self.server.stdin.write(json.dumps(case) + "\n")
        self.server.stdin.flush()
        code = int(self.server.stdout.readline())
        out, err = (path.read_text(encoding="utf-8") for path in said.values())
        return subprocess.CompletedProcess(["fork"], code, out, err)

    def close(self) -> None:
        """End the parent; it waits for nothing."""
        assert self.server.stdin is not None and self.server.stdout is not None
        self.server.stdin.close()
        assert self.server.wait(timeout=60) == 0
        self.server.stdout.close()

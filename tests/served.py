"""A command for a shell whose processes start with hft already imported.

The command is a small script that hands its words, folder, environment and the three open files to
a server. The server answers with a fork of itself that runs the command line on exactly these, so
that each command is a process of its own, without the seconds of importing.
"""

import socket
import subprocess
import sys
from pathlib import Path

SERVER = """
import gc, importlib, json, os, socket, sys

for name in {imports!r}:
    importlib.import_module(name)
{prepared}
gc.collect()
gc.freeze()  # a fork that looks at what is loaded would copy it

def answered(line):
    size, files, _, _ = socket.recv_fds(line, 8, 3)
    if not size:
        return False  # the server is asked to end
    case = json.loads(line.recv(int(size), socket.MSG_WAITALL))
    pid = os.fork()
    if pid == 0:
        line.close()
        os.chdir(case["cwd"])
        os.environ.clear()
        os.environ.update(case["env"])
        for number, file in enumerate(files):
            os.dup2(file, number)
            os.close(file)
        sys.stdin = open(0, closefd=False)
        sys.stdout = open(1, "w", closefd=False)
        sys.stderr = open(2, "w", buffering=1, errors="backslashreplace", closefd=False)
        sys.argv = ["hft", *case["words"]]
        sys.modules["hft.cli.app"].main()
    for file in files:
        os.close(file)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    line.sendall(str(code if code >= 0 else 128 - code).encode())
    return True

listener = socket.socket(socket.AF_UNIX)
listener.bind({address!r})
listener.listen()
print("listening", flush=True)
while True:
    line = listener.accept()[0]
    with line:
        if not answered(line):
            break
"""
SHIM = """#!{python} -IS
import json, os, socket, sys

line = socket.socket(socket.AF_UNIX)
line.connect({address!r})
case = {{"words": sys.argv[1:], "cwd": os.getcwd(), "env": dict(os.environ)}}
told = json.dumps(case).encode()
socket.send_fds(line, [b"%08d" % len(told)], [0, 1, 2])
line.sendall(told)
sys.exit(int(line.recv(8)))
"""


class Served:
    """`command`, a file to be put on PATH; one command is answered at a time.

    `imports` are what the server imports beforehand, hft's command line among them; `prepared` is
    code that it runs then.
    """

    def __init__(
        self, folder: Path, imports: list[str], environment: dict[str, str], prepared: str = ""
    ) -> None:
        folder.mkdir()
        self.address = str(folder / "line")
        self.command = folder / "hft"
        self.command.write_text(SHIM.format(python=sys.executable, address=self.address))
        self.command.chmod(0o755)
        names = ["hft.cli.app", *imports]
        code = SERVER.format(imports=names, address=self.address, prepared=prepared)
        self.server = subprocess.Popen(
            [sys.executable, "-c", code], stdout=subprocess.PIPE, env=environment
        )
        assert self.server.stdout is not None
        assert self.server.stdout.readline() == b"listening\n"

    def close(self) -> None:
        """End the server; it waits for nothing."""
        with socket.socket(socket.AF_UNIX) as line:
            line.connect(self.address)
        assert self.server.stdout is not None
        assert self.server.wait(timeout=60) == 0
        self.server.stdout.close()

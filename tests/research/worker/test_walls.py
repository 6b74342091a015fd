"""Code of an alpha reaches rows and nothing else: each attack is run as its author wrote it."""

import os
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from hft.research.data.dataset import ResearchData
from hft.research.data.sample import sample
from hft.research.worker import walls
from hft.research.worker.client import WorkerAlpha

pytestmark = pytest.mark.skipif(bool(walls.missing()), reason=f"no walls: {walls.missing()}")

IMPL = '''
import ctypes, os, sys
from hft.research.alphas.manifest import AlphaManifest

JUDGE = os.getppid()
TARGET, COUNT = {target!r}, {count}
libc = ctypes.CDLL(None, use_errno=True)


def call(*given):
    """A system call; what it refuses is an error here too."""
    found = libc.syscall(*given)
    if found < 0:
        raise OSError(ctypes.get_errno(), "refused")
    return found


{attacks}


class Spy:
    manifest = AlphaManifest("spy", "h", "f", data_fields=("mid",), horizon_ns=10**9)

    def __init__(self):
        self.row, self.got = 0, 0.0

    def update(self, mid):
        """Row by row the next attack; 1 where it got through."""
        try:
            globals()[f"attack_{{self.row % COUNT}}"]()
            self.got = 1.0
        except Exception:
            self.got = 0.0
        self.row += 1
        return self.got

    def reset(self):
        pass

    def get_signal(self):
        return self.got
'''

# name: the code, and what Python could tell of it ("" where it went past Python).
ATTACKS = {
    "reads a file of the user": ("open(TARGET).read()", "open"),
    "reads it by a descriptor": ("os.read(os.open(TARGET, os.O_RDONLY), 9)", "open"),
    "reads it by io": ("import _io; _io.open(TARGET).read()", "open"),
    "reads it with polars": ("import polars; polars.read_csv(TARGET)", ""),
    "reads it with numpy": ("import numpy; numpy.fromfile(TARGET, 'u1')", ""),
    "reads it with pyarrow": ("import pyarrow; pyarrow.OSFile(TARGET).read()", ""),
    "reads it by a raw call": ("call(257, -100, TARGET.encode(), 0)", ""),
    "reads it by a thread": (
        "import concurrent.futures as c\n"
        "with c.ThreadPoolExecutor(1) as pool:\n"
        "    pool.submit(lambda: open(TARGET).read()).result()",
        "open",
    ),
    "lists the folder of the user": ("os.listdir(os.path.dirname(TARGET))", ""),
    "reads it through a link": ("os.symlink(TARGET, 'link')", "os.symlink"),
    "makes it another name": ("os.link(TARGET, 'name')", "os.link"),
    "reads passwords": ("open('/etc/passwd').read()", ""),
    "reads the judge's environment": ("open(f'/proc/{JUDGE}/environ', 'rb').read()", "open"),
    "reads the judge's memory": ("open(f'/proc/{JUDGE}/mem', 'rb').seek(0)", "open"),
    "lists processes": ("os.listdir('/proc')", ""),
    "writes beside the user's file": ("open(TARGET + '.new', 'w')", "open"),
    "writes into its own folder": ("open(os.path.dirname(__file__) + '/more.py', 'w')", ""),
    "removes the user's file": ("os.remove(TARGET)", "os.remove"),
    "asks the network": ("import socket; socket.socket()", "socket."),
    "sends a datagram": ("call(41, 2, 2, 0)", ""),
    "speaks to a local socket": ("call(41, 1, 1, 0)", ""),
    "starts a program": ("import subprocess; subprocess.run(['/bin/true'])", "subprocess."),
    "becomes a program": ("os.execv('/bin/true', ['true'])", "os.exec"),
    "forks": ("os.fork()", "os.fork"),
    "forks by clone": ("call(56, 17, 0, 0, 0, 0)", ""),
    "forks by clone3": ("call(435, ctypes.create_string_buffer(88), 88)", ""),
    "sends a signal": ("os.kill(JUDGE, 0)", "os.kill"),
    "sends a signal by thread": ("call(234, JUDGE, JUDGE, 0)", ""),
    "traces the judge": ("call(101, 16, JUDGE, 0, 0)", ""),
    "reads the judge's memory by call": ("call(310, JUDGE, None, 0, None, 0, 0)", ""),
    "takes a descriptor of the judge": ("call(438, call(434, JUDGE, 0), 0, 0)", ""),
    "works past the filter": ("call(425, 8, ctypes.create_string_buffer(200))", ""),
    "shares memory": ("call(29, 1234, 4096, 0o1600)", ""),
    "uses keys of the kernel": ("call(250, 0, -3, 0, 0, 0)", ""),
    "leaves its name space": ("call(272, 0x10000000)", ""),
    "mounts": ("call(165, b'none', b'/tmp', b'tmpfs', 0, None)", ""),
    "changes its root": ("call(161, b'/')", ""),
    "asks for another filter": ("call(317, 1, 0, None)", ""),
    "loads code into the kernel": ("call(321, 0, None, 0)", ""),
    "watches the machine": ("call(298, ctypes.create_string_buffer(128), 0, -1, -1, 0)", ""),
    "limits the judge": ("call(302, JUDGE, 0, None, ctypes.create_string_buffer(16))", ""),
    "takes more memory": (
        "import resource; resource.setrlimit(resource.RLIMIT_AS, (1 << 50, 1 << 50))",
        "",
    ),
    "locks a file that others see": ("import fcntl; fcntl.flock(open('/dev/null'), 2)", ""),
    "locks a part of one": ("import fcntl; fcntl.lockf(open('/dev/null', 'w'), 2, 1, 7)", ""),
    "asks who has a lock": (
        "import fcntl, struct\n"
        "fcntl.fcntl(os.open('/dev/null', 2), 5, struct.pack('hhqqi', 1, 0, 0, 0, 0))",
        "",
    ),
    "asks whether another has a file open": (
        "import fcntl; fcntl.fcntl(open(os.__file__), 1024, fcntl.F_WRLCK)",
        "",
    ),
    "is told who changes a folder": (
        "import fcntl; fcntl.fcntl(os.open(os.path.dirname(os.__file__), 0), 1026, 1)",
        "",
    ),
    "leaves a hint at a file of Python for the next process": (
        "import fcntl, struct; fcntl.fcntl(open(os.__file__), 1036, struct.pack('Q', 0))",
        "",
    ),
    "reads the hint that another process left": (
        "import fcntl, struct; fcntl.fcntl(open(os.__file__), 1035, struct.pack('Q', 0))",
        "",
    ),
    "leaves a flag at a file": (
        "import fcntl, struct\n"
        "with open(os.__file__) as file:\n"
        "    now = fcntl.ioctl(file, 0x80086601, bytes(8))\n"
        "    fcntl.ioctl(file, 0x40086602, now)",
        "",
    ),
    "leaves a number at a file": (
        "import fcntl\n"
        "with open(os.__file__) as file:\n"
        "    now = fcntl.ioctl(file, 0x80087601, bytes(8))\n"
        "    fcntl.ioctl(file, 0x40087602, now)",
        "",
    ),
    "opens its folder to all": ("os.chmod(os.path.dirname(TARGET), 0o777)", ""),
    "opens the user's file to all": ("call(452, -100, TARGET.encode(), 0o777, 0)", ""),
    "gives the user's file away": ("os.chown(TARGET, 65534, -1)", ""),
    "writes beside the text of a file": ("os.setxattr(TARGET, 'user.note', b'future')", ""),
    "reads beside the text of a file": ("os.listxattr(TARGET)", ""),
    "says it by the time of a file": ("os.utime(TARGET, (1, 1))", ""),
    "is told who opens what": ("call(253); call(294, 0)", ""),
    "slows the judge down": ("os.sched_setscheduler(JUDGE, 5, os.sched_param(0))", ""),
    "goes first": ("os.sched_setscheduler(0, 1, os.sched_param(50))", ""),
    "sets the clock": ("call(159, ctypes.create_string_buffer(256))", ""),
    "makes a disk": ("os.mknod('disk', 0o60600, os.makedev(7, 0))", ""),
    "makes a pipe": ("os.mkfifo('pipe')", ""),
    "outlives the judge": ("assert libc.prctl(1, 0, 0, 0, 0) == 0", ""),
    "takes capabilities": (
        "import struct; call(126, struct.pack('II', 0x20080522, 0), b'\\xff' * 24)",
        "",
    ),
    "shares memory without a name": ("call(319, b'm', 0)", ""),
    "hides memory": ("call(447, 0)", ""),
    "is told what others read of late": (
        "call(451, os.open('/dev/null', 2), ctypes.create_string_buffer(16),\n"
        "     ctypes.create_string_buffer(40), 0)",
        "",
    ),
    "is told which pages are in memory": (
        "page = ctypes.create_string_buffer(8192)\n"
        "call(27, ctypes.c_void_p(ctypes.addressof(page) & ~4095), 4096,\n"
        "     ctypes.create_string_buffer(8))",
        "",
    ),
    "throws pages of others out": ("call(221, os.open('/dev/null', 0), 0, 0, 4)", ""),
    "asks a kernel newer than the filter": ("call(470)", ""),
    "opens by handle": ("call(304, -100, ctypes.create_string_buffer(64), 0)", ""),
    "finds a key in the environment": ("assert 'HFT_SECRET' in os.environ", ""),
    "finds a descriptor of the judge": (
        "assert any('secret' in os.readlink(f'/proc/self/fd/{k}') for k in range(3, 200)\n"
        "           if os.path.exists(f'/proc/self/fd/{k}'))",
        "",
    ),
}


def impl(bodies: Sequence[str], target: str) -> str:
    """An alpha that runs one of these after the other, one a row."""
    attacks = [
        f"def attack_{k}():\n{textwrap.indent(body, '    ')}" for k, body in enumerate(bodies)
    ]
    return IMPL.format(target=target, count=len(bodies), attacks="\n\n\n".join(attacks))


def made(tmp_path: Path, text: str) -> Path:
    folder = tmp_path / "desk" / "spy"
    folder.mkdir(parents=True)
    (folder / "impl.py").write_text(text)
    return folder


def rows(names: Sequence[str]) -> ResearchData:
    return sample(len(names), fields=("mid",))


def batched(names: Iterable[str], size: int) -> Iterator[tuple[str, ...]]:
    """A process takes a second to begin, so that several attacks share one."""
    left = iter(names)
    while batch := tuple(islice(left, size)):
        yield batch


@pytest.mark.parametrize("names", [*batched(ATTACKS, 9)], ids=lambda names: names[0])
def test_what_the_walls_refuse(tmp_path: Path, names: tuple[str, ...], monkeypatch) -> None:
    secret = tmp_path / "desk" / "secret.csv"
    secret.parent.mkdir()
    secret.write_text("a\n1\n")
    monkeypatch.setenv("HFT_SECRET", "key")
    held = os.open(secret, os.O_RDONLY)
    os.set_inheritable(held, True)
    folder = secret.parent / "spy"
    folder.mkdir()
    (folder / "impl.py").write_text(impl([ATTACKS[name][0] for name in names], str(secret)))
    try:
        with WorkerAlpha(folder) as alpha:
            found = alpha.evaluate(rows(names))
    finally:
        os.close(held)
    assert [name for name, through in zip(names, found, strict=True) if through] == []
    assert secret.read_text() == "a\n1\n" and sorted(os.listdir(folder)) == ["impl.py"]
    for name in names:
        told = ATTACKS[name][1]
        assert not told or any(one.startswith(told) for one in alpha.tried), (name, alpha.tried)


def test_without_walls_files_network_and_programs_are_reached(tmp_path: Path, monkeypatch) -> None:
    """So that what the tests above see is the walls and not a mistake in the attack."""
    monkeypatch.setattr(walls, "missing", lambda: "left out for this test")
    secret = tmp_path / "secret.csv"
    secret.write_text("a\n1\n")
    easy = [name for name, (_, told) in ATTACKS.items() if told == "open" and "user" in name]
    names = [*easy, "asks the network", "starts a program", "shares memory without a name"]
    text = impl([ATTACKS[name][0] for name in names], str(secret))
    with WorkerAlpha(made(tmp_path, text)) as alpha:
        assert alpha.lacking == "left out for this test"
        found = alpha.evaluate(rows(names))
    assert [name for name, through in zip(names, found, strict=True) if not through] == []


def test_libraries_work_behind_the_walls(tmp_path: Path) -> None:
    body = """
    import threading, numpy, polars, pyarrow
    frame = polars.DataFrame({"a": numpy.arange(100_000.0)})
    assert frame.lazy().select(polars.col("a").rolling_mean(5).sum()).collect().height == 1
    assert pyarrow.array([1]).type == "int64"
    import fcntl
    with open("held.txt", "w+") as held:
        assert os.dup(held.fileno()) > 2 and not held.isatty()
        assert os.get_inheritable(held.fileno()) is False
        os.set_inheritable(held.fileno(), True)
        os.set_blocking(held.fileno(), False)
        assert fcntl.fcntl(held, fcntl.F_GETFL) & os.O_NONBLOCK
    threading.Thread(target=lambda: numpy.linalg.svd(numpy.ones((50, 50)))).start()
    open("scratch.txt", "w").write("its own folder for now")
    """
    text = impl([textwrap.dedent(body)], "")
    with WorkerAlpha(made(tmp_path, text)) as alpha:
        assert np.all(alpha.evaluate(sample(40, fields=("mid",))) == 1.0)
        assert alpha.tried == ()

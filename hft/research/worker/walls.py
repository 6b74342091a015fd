"""Two walls around the code of an alpha: which files it may open, and what it may ask the kernel.

They are put up in the worker's own process before anything but Python's standard library is
imported, bind root as well, and cannot be taken down again. The file system is walled by Landlock
(Linux 5.13; 6.12 for signals), everything else by a seccomp filter: no socket, no second process,
no signal, no look into other processes. Names, sizes and times of files can still be asked for.

Sources: the kernel's userspace-api/landlock and userspace-api/seccomp_filter documents, and its
table of system calls for x86-64.
"""

import ctypes
import os
import platform
import resource
import signal
import struct
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass

NO_NEW_PRIVILEGES, END_WITH_PARENT, DUMPABLE = 38, 1, 4  # of prctl
LANDLOCK = {"create": 444, "add": 445, "restrict": 446}
VERSION_ASKED, BENEATH = 1, 1
EXECUTE, READS = 0b1, 0b1101  # reads: execute, read a file, read a folder
WRITES = 0b110110010  # write, remove, make folders and files; no devices, sockets, pipes, links
TRUNCATES = 1 << 14
HANDLED = (1 << 16) - 1  # every right on files that version 5 and later know
OF_A_FILE = 0b1100000000000111  # execute, write, read, truncate, ioctl: what a rule on a file has
TCP, SIGNALS_AND_ABSTRACT_SOCKETS = 0b11, 0b11

SECCOMP = 317
SET_FILTER, ALL_THREADS = 1, 1
X86_64 = 0xC000003E
OTHER_NUMBERS = 0x40000000  # system calls of x32 begin here
THREAD = 0x10000  # CLONE_THREAD
LOAD, EQUAL, ABOVE, ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
ALLOW, KILL, REFUSE = 0x7FFF0000, 0x80000000, 0x00050000  # the errno stands in REFUSE's low bits
NUMBER_AT, MACHINE_AT, FIRST_AT, SECOND_AT = 0, 4, 16, 24
EPERM, ENOSYS = 1, 38

# What no signal needs, by what it would be used for: of the numbers below NEW. Of those above it,
# which grow with each kernel, only the ones named are let through.
REFUSED = {
    "the network": (41, 42, 43, 44, 46, 49, 50, 53, 288),
    "another program": (57, 58, 59, 322),
    "signals": (62, 129, 200, 297),
    "other processes": (101, 310, 311, 312),
    "memory that others share": (29, 30, 31, 64, 65, 66, 68, 69, 70, 71, 220, 240, 241, 319),
    "what two workers could tell each other by": (73, 253, 254, 294),
    "owner, mode, times and attributes of files": (
        *(90, 91, 92, 93, 94, 132, 188, 189, 190, 191, 192, 193, 194, 195, 196, 197, 198, 199, 235),
        *(260, 261, 268, 280),
    ),
    "devices": (133, 259),
    "keys of the kernel": (248, 249, 250),
    "other name spaces and mounts": (155, 161, 165, 166, 272, 308),
    "files by handle": (303, 304),
    "the kernel itself": (
        *(103, 154, 159, 163, 164, 167, 168, 169, 170, 171, 172, 173, 175, 176, 227, 246, 298, 300),
        *(305, 313, 317, 320, 321, 323),
    ),
    "what others have read of late": (27, 187, 221, 327),
    "the disk without writing": (285,),
    "how others run": (135, 141, 142, 144, 160, 179, 203, 251, 314),
}
NEW = 335
# clone3 has a rule of its own
NEW_ALLOWED = (435, 436, 437, 439, 441, 449, 453, 454, 455, 456, 462)
OWN_ONLY = (234, 302)  # tgkill, prlimit64: with the own process as first argument, or 0
CLONE, CLONE3 = 56, 435
# What may be asked of an open file: copies of it, its flags, is it a terminal, what waits in it.
# All else can leave a mark on a file that others read (a lock, a lease, a hint of how long what is
# written lives, a flag, a number of its version), and such a mark outlives who made it.
FCNTL, OF_OPEN_FILES = 72, (0, 1, 2, 3, 4, 1030, 1032)
IOCTL, OF_DEVICES = 16, (0x5401, 0x802C542A, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)
PRCTL, CAPSET, DROP_FROM_BOUND, CAPABILITIES = 157, 126, 24, 64


class NoWalls(Exception):
    """This machine cannot put the walls up; the text says what is missing."""


@dataclass(frozen=True)
class Limits:
    """What a worker may take. Units: bytes, seconds of processor time, bytes a file, files."""

    memory: int = 8 << 30
    cpu_s: int = 3600
    file: int = 64 << 20
    open_files: int = 256


def missing() -> str:
    """What this machine lacks for the walls; "" where nothing is. Nothing is put up."""
    if sys.platform != "linux" or platform.machine() != "x86_64":
        return f"the walls are for Linux on x86-64, this is {sys.platform} on {platform.machine()}"
    found = _landlock_version()
    if found < 6:
        had = f"version {found}" if found > 0 else "none"
        return f"Landlock of version 6 (Linux 6.12) walls files and signals; this kernel has {had}"
    if _libc().prctl(21, 0, 0, 0, 0) < 0:
        return "this kernel has no seccomp filter"
    return ""


def put_up(readable: Iterable[str], writable: Iterable[str], limits: Limits) -> None:
    """Both walls and the limits, for this process and all its threads to come.

    Raises: NoWalls. After that error nothing of an alpha may run.
    """
    lacking = missing()
    if lacking:
        raise NoWalls(lacking)
    _limit(limits)
    _drop_capabilities()
    if _libc().prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0):
        raise NoWalls("this process cannot give up new privileges")
    _wall_files(tuple(readable), tuple(writable))
    _wall_calls(program(os.getpid()))


def end_with_the_judge() -> None:
    """Ask the kernel to end this process when the one that started it has ended."""
    _libc().prctl(END_WITH_PARENT, signal.SIGKILL, 0, 0, 0)


def _limit(limits: Limits) -> None:
    for kind, most in (
        (resource.RLIMIT_AS, limits.memory),
        (resource.RLIMIT_CPU, limits.cpu_s),
        (resource.RLIMIT_FSIZE, limits.file),
        (resource.RLIMIT_NOFILE, limits.open_files),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(kind)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (most, most))


def _drop_capabilities() -> None:
    """What root may do beyond others, for good; without any there is nothing to drop."""
    libc = _libc()
    for one in range(CAPABILITIES):
        libc.prctl(DROP_FROM_BOUND, one, 0, 0, 0)
    if libc.syscall(CAPSET, struct.pack("II", 0x20080522, 0), bytes(24)):
        raise NoWalls("this process cannot give up its capabilities")


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _landlock_version() -> int:
    return int(_libc().syscall(LANDLOCK["create"], None, 0, VERSION_ASKED))


def _wall_files(readable: Sequence[str], writable: Sequence[str]) -> None:
    attributes = struct.pack("QQQ", HANDLED, TCP, SIGNALS_AND_ABSTRACT_SOCKETS)
    libc = _libc()
    rules = libc.syscall(LANDLOCK["create"], attributes, len(attributes), 0)
    if rules < 0:
        raise NoWalls(f"Landlock refused: {os.strerror(ctypes.get_errno())}")
    try:
        for path in readable:
            _rule(libc, rules, path, READS)
        for path in writable:
            _rule(libc, rules, path, (READS | WRITES | TRUNCATES) & ~EXECUTE)
        if libc.syscall(LANDLOCK["restrict"], rules, 0):
            raise NoWalls(f"Landlock refused: {os.strerror(ctypes.get_errno())}")
    finally:
        os.close(rules)


def _rule(libc: ctypes.CDLL, rules: int, path: str, rights: int) -> None:
    """Allow `rights` at and below a path; one that is not there needs no rule."""
    try:
        opened = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not os.path.isdir(path):
            rights &= OF_A_FILE
        rule = struct.pack("=Qi", rights, opened)
        if libc.syscall(LANDLOCK["add"], rules, BENEATH, rule, 0):
            raise NoWalls(f"Landlock: {path}: {os.strerror(ctypes.get_errno())}")
    finally:
        os.close(opened)


def end_before_others() -> None:
    """Where memory runs out, the kernel shall end this process and not the judge."""
    with suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
        file.write("1000")


def program(process: int) -> bytes:
    """The filter as the kernel takes it: 8 bytes an instruction."""
    code: list[tuple[int, int, int, int]] = [
        (LOAD, 0, 0, MACHINE_AT),
        (EQUAL, 1, 0, X86_64),
        (RETURN, 0, 0, KILL),
        (LOAD, 0, 0, NUMBER_AT),
        (ABOVE, 0, 1, OTHER_NUMBERS),
        (RETURN, 0, 0, REFUSE | ENOSYS),
        *_unknown_refused(),
    ]
    for numbers in REFUSED.values():
        for number in numbers:
            code += [(EQUAL, 0, 1, number), (RETURN, 0, 0, REFUSE | EPERM)]
    # glibc asks clone3 first; told that there is none it uses clone, whose flags can be read.
    code += [(EQUAL, 0, 1, CLONE3), (RETURN, 0, 0, REFUSE | ENOSYS)]
    code += [
        (EQUAL, 0, 4, CLONE),
        (LOAD, 0, 0, FIRST_AT),
        (ANY_BIT, 1, 0, THREAD),
        (RETURN, 0, 0, REFUSE | EPERM),
        (RETURN, 0, 0, ALLOW),
    ]
    for number in OWN_ONLY:
        code += [
            (EQUAL, 0, 5, number),
            (LOAD, 0, 0, FIRST_AT),
            (EQUAL, 2, 0, process),
            (EQUAL, 1, 0, 0),
            (RETURN, 0, 0, REFUSE | EPERM),
            (RETURN, 0, 0, ALLOW),
        ]
    code += _by(FCNTL, SECOND_AT, OF_OPEN_FILES, ALLOW, REFUSE | EPERM)
    code += _by(IOCTL, SECOND_AT, OF_DEVICES, ALLOW, REFUSE | EPERM)
    code += _by(PRCTL, FIRST_AT, (END_WITH_PARENT, DUMPABLE), REFUSE | EPERM, ALLOW)
    code.append((RETURN, 0, 0, ALLOW))
    return b"".join(struct.pack("HBBI", *one) for one in code)


def _unknown_refused() -> list[tuple[int, int, int, int]]:
    """A call newer than this list is answered as by a kernel that has none."""
    count = len(NEW_ALLOWED)
    known = [(EQUAL, count - k, 0, number) for k, number in enumerate(NEW_ALLOWED)]
    return [(ABOVE, 0, count + 1, NEW), *known, (RETURN, 0, 0, REFUSE | ENOSYS)]


def _by(
    number: int, at: int, values: Sequence[int], one_of_them: int, another: int
) -> list[tuple[int, int, int, int]]:
    """How a call is answered with one of these values of an argument, and with another."""
    tests = [(EQUAL, len(values) - k, 0, value) for k, value in enumerate(values)]
    return [
        (EQUAL, 0, len(tests) + 3, number),
        (LOAD, 0, 0, at),
        *tests,
        (RETURN, 0, 0, another),
        (RETURN, 0, 0, one_of_them),
    ]


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("code", ctypes.c_void_p)]


def _wall_calls(code: bytes) -> None:
    kept = ctypes.create_string_buffer(code, len(code))
    given = _Program(len(code) // 8, ctypes.addressof(kept))
    if _libc().syscall(SECCOMP, SET_FILTER, ALL_THREADS, ctypes.byref(given)):
        raise NoWalls(f"seccomp refused: {os.strerror(ctypes.get_errno())}")

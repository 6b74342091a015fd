"""Who writes: one id for each host, user and checkout, so that clones never write one file.

The id tells two writers apart and nothing about them.
"""

import getpass
import hashlib
import os
import socket
from pathlib import Path

WRITER_CHARS = 16


def writer_id(folder: Path) -> str:
    """The id of this host and user writing to the ledger in `folder`."""
    parts = (socket.gethostname(), _user(), os.path.realpath(folder))
    return hashlib.sha256("\0".join(parts).encode(errors="replace")).hexdigest()[:WRITER_CHARS]


def _user() -> str:
    try:
        import pwd

        return pwd.getpwuid(os.getuid()).pw_name
    except (ImportError, KeyError):  # a user without an entry, as in a container
        return getpass.getuser() if not hasattr(os, "getuid") else str(os.getuid())

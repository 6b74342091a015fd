"""What a person does about a disk that refuses: a system's own words name no cure."""

import errno

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_CURES = {
    errno.EROFS: "name a folder on a disk that can be written",
    errno.EACCES: "name a folder that you may write, or change its owner",
    errno.EPERM: "name a folder that you may write, or change its owner",
    errno.ENOENT: "name a folder where one can be made",
    errno.ENOTDIR: "a part of its path is a file; name another folder",
    errno.EEXIST: "a part of its path is a file; name another folder",
    errno.EISDIR: "name a file",
    errno.EMFILE: "raise the limit of open files (`ulimit -n`)",
    **dict.fromkeys(FULL, "make room on the disk, or name a folder on another one"),
}


def cured(error: OSError) -> str:
    """What happened in the system's words, and what to do about it where that is known."""
    said = error.strerror or str(error)
    cure = _CURES.get(error.errno or 0)
    return f"{said}; {cure}" if cure else said

"""What makes a file itself and not a copy: its number, and when it came to be."""

import ctypes
import os
import struct
from pathlib import Path

# statx(2): glibc has had it since 2.28; Python offers it from 3.15 on.
_AT_FDCWD = -100
_STATX_BTIME = 0x800
_SIZE = 256
_MASK, _BIRTH = struct.Struct("=I"), struct.Struct("=qI")
_BIRTH_AT = 80


def identify_file(path: Path) -> str:
    """``INODE`` or ``INODE:BIRTH``; OSError where there is no such file.

    A copy has another inode, save by chance: two fresh volumes number their
    files alike. The time of birth, which no tool can set, tells those apart,
    where the file system keeps one. The number of the device is no part of it:
    it changes at reboots and from container to container.
    """
    inode = path.stat().st_ino
    birth = _birth(path)
    return f"{inode}:{birth}" if birth else str(inode)


def is_same_file(one: str, other: str) -> bool:
    """Whether two of `identify_file`'s answers may be of one file.

    Through another mount of the same file (NFS, an older kernel) the birth may
    be unknown: then the inode decides.
    """
    (inode, _, birth), (other_inode, _, other_birth) = one.partition(":"), other.partition(":")
    return inode == other_inode and (not birth or not other_birth or birth == other_birth)


def _birth(path: Path) -> str:
    try:
        statx = ctypes.CDLL(None, use_errno=True).statx
    except AttributeError:
        return ""
    answer = ctypes.create_string_buffer(_SIZE)
    if statx(_AT_FDCWD, os.fsencode(path), 0, _STATX_BTIME, answer) != 0:
        return ""
    (mask,) = _MASK.unpack_from(answer)
    seconds, nanoseconds = _BIRTH.unpack_from(answer, _BIRTH_AT)
    return f"{seconds}.{nanoseconds:09}" if mask & _STATX_BTIME and seconds > 0 else ""

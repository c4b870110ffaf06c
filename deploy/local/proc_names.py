"""What `ps` and `/proc/PID` show of a process that was forked and not started."""

import ctypes
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

_PR_SET_MM = 35  # linux/prctl.h
_PR_SET_MM_MAP = 14
_STAT_AFTER_NAME = 2  # the fields of /proc/PID/stat before the third stand up to the name

_libc = ctypes.CDLL(None, use_errno=True)
_libc.sbrk.restype = ctypes.c_ulong
_libc.prctl.argtypes = [ctypes.c_int, *[ctypes.c_ulong] * 4]


class _Map(ctypes.Structure):
    """``struct prctl_mm_map``."""

    _fields_ = [
        *((name, ctypes.c_uint64) for name in ("start_code", "end_code", "start_data", "end_data")),
        *((name, ctypes.c_uint64) for name in ("start_brk", "brk", "start_stack")),
        *((name, ctypes.c_uint64) for name in ("arg_start", "arg_end", "env_start", "env_end")),
        ("auxv", ctypes.c_uint64),
        ("auxv_size", ctypes.c_uint32),
        ("exe_fd", ctypes.c_uint32),
    ]


_kept: list[ctypes.Array[ctypes.c_char]] = []  # The kernel reads it for as long as we live.


def show(command: Sequence[str], environment: Mapping[str, str]) -> None:
    """Show these as our command line and environment, if the kernel lets us: only people and tests
    look there."""
    arguments = _block(command)
    variables = _block([f"{name}={value}" for name, value in environment.items()])
    fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()

    def field(number: int) -> int:
        """One of proc(5), which counts from 1."""
        return int(fields[number - _STAT_AFTER_NAME - 1])

    wanted = _Map(
        start_code=field(26),
        end_code=field(27),
        start_data=field(45),
        end_data=field(46),
        start_brk=field(47),
        brk=_libc.sbrk(0),
        start_stack=field(28),
        arg_start=ctypes.addressof(arguments),
        arg_end=ctypes.addressof(arguments) + ctypes.sizeof(arguments),
        env_start=ctypes.addressof(variables),
        env_end=ctypes.addressof(variables) + ctypes.sizeof(variables),
        exe_fd=0xFFFFFFFF,  # the same
    )
    size = ctypes.sizeof(wanted)
    if _libc.prctl(_PR_SET_MM, _PR_SET_MM_MAP, ctypes.addressof(wanted), size, 0) == 0:
        _kept.extend((arguments, variables))


def _block(texts: Sequence[str]) -> ctypes.Array[ctypes.c_char]:
    content = b"".join(os.fsencode(text) + b"\0" for text in texts) or b"\0"
    return (ctypes.c_char * len(content)).from_buffer_copy(content)

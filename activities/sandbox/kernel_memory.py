"""What a job holds in the kernel, where no control group counts it: rather too much than too
little.

Counted are the ways to much of it: sockets, pipes and page tables. They are bounded by the system
call filter as well (``seccomp.program``): no job that is watched can enlarge the buffers of a
socket or a pipe, or have pages kept by one.
"""

import contextlib
import re
from collections.abc import Sequence
from pathlib import Path

from activities.sandbox.tree import Member, read_file
from activities.units import KIBIBYTE, MEBIBYTE

# Also of macOS: what common programs can live with.
OPEN_FILES = 256

_PAGE_BYTES = 4 * KIBIBYTE
_PIPE_BYTES = 64 * KIBIBYTE
# A user's further pipes get two pages each, see pipe(7).
_SOFT_PIPES_BYTES = 16_384 * _PAGE_BYTES
_LATE_PIPE_BYTES = 2 * _PAGE_BYTES
# A segment of TCP takes up to twice the bytes that it carries.
_TCP_OVERHEAD = 2
_TABLES_SHARE = 512  # A page of tables maps 512 pages.
_MANY_TABLES_BYTES = 16 * MEBIBYTE
_DEFAULT_BUFFER_BYTES = 212_992


def kernel_bytes(root: int, members: Sequence[Member], pipes: int) -> int:
    """What the job whose process 1 is ``root`` may hold; 0 where we may not look."""
    return _socket_bytes(root) + _pipe_bytes(pipes) + _table_bytes(members)


def _socket_bytes(root: int) -> int:
    """Of TCP what is queued; of others, which tell nobody, as much as fits into their buffers."""
    network = Path(f"/proc/{root}/net")
    try:
        said = read_file(str(network / "sockstat"))
        used = _number(rb"sockets: used (\d+)", said)
        tcp = [*_rows(network / "tcp"), *_rows(network / "tcp6")] if used else []
    except OSError:
        return 0
    queued = sum(int(part, 16) for row in tcp for part in row[4].split(b":"))
    return max(used - len(tcp), 0) * _buffer_bytes() + queued * _TCP_OVERHEAD


def _rows(path: Path) -> list[list[bytes]]:
    with contextlib.suppress(FileNotFoundError):  # This machine has no IPv6.
        return [line.split() for line in path.read_bytes().splitlines()[1:]]
    return []


def _buffer_bytes() -> int:
    core = Path("/proc/sys/net/core")
    with contextlib.suppress(OSError, ValueError):
        return max(int((core / name).read_text()) for name in ("wmem_default", "rmem_default"))
    return _DEFAULT_BUFFER_BYTES


def _pipe_bytes(pipes: int) -> int:
    return min(pipes * _PIPE_BYTES, _SOFT_PIPES_BYTES + pipes * _LATE_PIPE_BYTES)


def _table_bytes(members: Sequence[Member]) -> int:
    """Reading far and wide in memory that was never written fills tables, and nothing else."""
    at_most = sum(member.virtual_bytes for member in members) // _TABLES_SHARE
    if at_most < _MANY_TABLES_BYTES:
        return 0
    found = 0
    for member in members:
        with contextlib.suppress(OSError):
            status = read_file(f"{member.folder}/status")
            found += _number(rb"VmPTE:\s+(\d+) kB", status) * KIBIBYTE
    return found


def _number(pattern: bytes, text: bytes) -> int:
    found = re.search(pattern, text)
    return int(found[1]) if found else 0

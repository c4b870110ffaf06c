"""The system calls that a job may not make, and the error each gives.

Numbers are those of Linux's ``asm/unistd_64.h`` (x86_64) and ``asm-generic/unistd.h`` (aarch64);
``None`` where an architecture lacks the call.
"""

import errno
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Syscall:
    name: str
    x86_64: int | None
    aarch64: int | None
    error: int = errno.EPERM


CLONE = Syscall("clone", 56, 220)
CLOSE_RANGE = Syscall("close_range", 436, 436)
IOCTL = Syscall("ioctl", 16, 29)
SOCKET = Syscall("socket", 41, 198)
SOCKETPAIR = Syscall("socketpair", 53, 199)
SETSOCKOPT = Syscall("setsockopt", 54, 208)
FCNTL = Syscall("fcntl", 72, 25)

# What keeps pages in sockets and pipes: of a large page a small part, and the whole is kept. The
# error is one after which programs copy instead.
PAGE_KEEPING = (
    Syscall("vmsplice", 278, 75, errno.EINVAL),
    Syscall("splice", 275, 76, errno.EINVAL),
    Syscall("tee", 276, 77, errno.EINVAL),
    Syscall("sendfile", 40, 71, errno.EINVAL),
)

DENIED = (
    # Other processes: reading their memory, stopping them, taking their descriptors.
    Syscall("ptrace", 101, 117),
    Syscall("process_vm_readv", 310, 270),
    Syscall("process_vm_writev", 311, 271),
    Syscall("process_madvise", 440, 440),
    Syscall("pidfd_getfd", 438, 438),
    Syscall("kcmp", 312, 272),
    Syscall("migrate_pages", 256, 238),
    Syscall("move_pages", 279, 239),
    # Namespaces and mounts. ``clone3`` hides its flags behind a pointer that a filter cannot read;
    # ENOSYS makes every libc fall back to ``clone``, whose flags are checked.
    Syscall("clone3", 435, 435, errno.ENOSYS),
    Syscall("unshare", 272, 97),
    Syscall("setns", 308, 268),
    Syscall("mount", 165, 40),
    Syscall("umount2", 166, 39),
    Syscall("pivot_root", 155, 41),
    Syscall("chroot", 161, 51),
    Syscall("open_tree", 428, 428),
    Syscall("move_mount", 429, 429),
    Syscall("fsopen", 430, 430),
    Syscall("fsconfig", 431, 431),
    Syscall("fsmount", 432, 432),
    Syscall("fspick", 433, 433),
    Syscall("mount_setattr", 442, 442),
    Syscall("open_tree_attr", 467, 467),
    # Opening files by inode walks around every mount.
    Syscall("name_to_handle_at", 303, 264),
    Syscall("open_by_handle_at", 304, 265),
    # Large kernel surfaces with a long record of privilege escalation.
    Syscall("bpf", 321, 280),
    Syscall("perf_event_open", 298, 241),
    Syscall("userfaultfd", 323, 282),
    Syscall("io_uring_setup", 425, 425),
    Syscall("io_uring_enter", 426, 426),
    Syscall("io_uring_register", 427, 427),
    Syscall("fanotify_init", 300, 262),
    Syscall("modify_ldt", 154, None),
    Syscall("uselib", 134, None),
    Syscall("nfsservctl", 180, 42),
    # Keyrings belong to no namespace.
    Syscall("add_key", 248, 217),
    Syscall("request_key", 249, 218),
    Syscall("keyctl", 250, 219),
    # Memory that belongs to no process, and so escapes the limit on memory.
    Syscall("memfd_create", 319, 279, errno.ENOSYS),
    Syscall("memfd_secret", 447, 447, errno.ENOSYS),
    Syscall("shmget", 29, 194, errno.ENOSYS),
    Syscall("semget", 64, 190, errno.ENOSYS),
    Syscall("msgget", 68, 186, errno.ENOSYS),
    # The machine as a whole.
    Syscall("kexec_load", 246, 104),
    Syscall("kexec_file_load", 320, 294),
    Syscall("init_module", 175, 105),
    Syscall("finit_module", 313, 273),
    Syscall("delete_module", 176, 106),
    Syscall("reboot", 169, 142),
    Syscall("swapon", 167, 224),
    Syscall("swapoff", 168, 225),
    Syscall("acct", 163, 89),
    Syscall("quotactl", 179, 60),
    Syscall("quotactl_fd", 443, 443),
    Syscall("syslog", 103, 116),
    Syscall("settimeofday", 164, 170),
    Syscall("clock_settime", 227, 112),
    Syscall("vhangup", 153, 58),
    Syscall("iopl", 172, None),
    Syscall("ioperm", 173, None),
)

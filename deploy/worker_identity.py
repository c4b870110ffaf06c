"""What a worker calls itself, in Temporal and in rows: its machine, and its pid."""

import os
import socket


def machine_prefix() -> str:
    """What the identities of all workers of this machine begin with."""
    return f"{socket.gethostname()}-"


def worker_identity() -> str:
    """That of this process."""
    return f"{machine_prefix()}{os.getpid()}"

"""Programs of other users of this machine."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

OTHER_UID = 12_345
SETPRIV = "/usr/bin/setpriv"
# The interpreter of the tests may lie in a folder that is closed to other users.
PYTHON = "/usr/bin/python3" if Path("/usr/bin/python3").exists() else sys.executable

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")


def as_user(uid: int) -> list[str]:
    if uid == os.geteuid():
        return []
    return [SETPRIV, f"--reuid={uid}", f"--regid={uid}", "--clear-groups", "--"]


async def printed_by(uid: int, code: str, *arguments: str) -> str:
    """What a Python program prints when it is run by that user."""
    process = await asyncio.create_subprocess_exec(
        *(*as_user(uid), PYTHON, "-I", "-S", "-c", code, *arguments),
        stdout=asyncio.subprocess.PIPE,
    )
    printed, _ = await process.communicate()
    return printed.decode()

"""The stack of the current folder, for commands that were not told which API to talk to.

What it names gets our work and our API key. So it must be ours: where others may write, as in /tmp,
somebody else could have made a folder of that name.
"""

import json
import os
from pathlib import Path
from typing import BinaryIO

from activities.file_lock import try_lock_open
from api.cli.connection import StackHere
from deploy.local.holder import MOST_BYTES, Work, holder_in

_MOST_FILE_BYTES = 1_000_000


def find(data_dir: Path) -> StackHere | None:
    """None where none of ours runs on the folder."""
    folder = data_dir.absolute()
    try:
        if not _has_stack(folder):
            return None
        return StackHere(folder, _api_url(folder / "services.json"))
    except (OSError, ValueError):  # There is none, or nobody can read what it says.
        return None


def _is_ours(file: BinaryIO) -> bool:
    return os.fstat(file.fileno()).st_uid == os.geteuid()


def _has_stack(folder: Path) -> bool:
    with (folder / "lock").open("rb") as lock:
        if not _is_ours(lock) or try_lock_open(lock.fileno(), shared=True):
            return False
        return holder_in(lock.read(MOST_BYTES)).work is Work.UP


def _api_url(file: Path) -> str | None:
    """None while it starts."""
    try:
        with file.open("rb") as services:
            document = json.loads(services.read(_MOST_FILE_BYTES)) if _is_ours(services) else {}
    except FileNotFoundError:
        return None
    part = document.get("api") if isinstance(document, dict) else None
    url = part.get("url") if isinstance(part, dict) else None
    return url if isinstance(url, str) else None

"""A peer's virtual environment: made when it is first asked for, and kept beside uv's cache."""

import asyncio
import json
import shutil
import sys
from asyncio.subprocess import DEVNULL, PIPE, STDOUT
from dataclasses import dataclass
from pathlib import Path

from uv import find_uv_bin

FOLDER = Path(sys.prefix) / ".cache" / "peers"

_INSTALLED = "installed.json"  # Written last, so that what was cut short is made anew.
_FLAGS = ("--no-config", "--no-progress", "--color=never", "--system-certs")


@dataclass(frozen=True, slots=True)
class Peer:
    """``module`` is the one in this package that works with it, ``way`` says in which way."""

    name: str
    way: str
    module: str
    requirements: tuple[str, ...]


class NotInstalledError(Exception):
    """Why a peer cannot be had here."""


async def installed(peer: Peer, folder: Path = FOLDER) -> Path:
    """The Python that has the peer, which is installed now if it was not before.

    Raises:
        NotInstalledError: it cannot be.
    """
    venv = folder / peer.module
    python, note = venv / "bin" / "python", venv / _INSTALLED
    wanted = json.dumps(peer.requirements)
    if note.is_file() and note.read_text() == wanted and python.exists():
        return python
    try:
        shutil.rmtree(venv, ignore_errors=True)
        # Where the Makefile has it, too: an unwritable home folder does not matter.
        cache = ("--cache-dir", str(folder.parent))
        await _uv("venv", *cache, "--python", sys.executable, str(venv))
        await _uv("pip", "install", *cache, "--python", str(python), *peer.requirements)
        note.write_text(wanted)
    except OSError as error:
        raise NotInstalledError(str(error)) from error
    return python


async def _uv(*arguments: str) -> None:
    process = await asyncio.create_subprocess_exec(
        find_uv_bin(), *_FLAGS, *arguments, stdin=DEVNULL, stdout=PIPE, stderr=STDOUT
    )
    said, _ = await process.communicate()
    if process.returncode != 0:
        raise NotInstalledError(" ".join(said.decode(errors="replace").split()))

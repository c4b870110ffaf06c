"""Where commands write files that they fetch: to a folder, beside what is there, or to stdout."""

import asyncio
import hashlib
import shutil
import sys
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from api.cli.errors import FilesOfOneName, FileThere
from api.client import Download
from api.client.transfer import target_of

STDOUT = Path("-")

Fetch = Callable[[Download, Path], Awaitable[Path]]
Force = Annotated[bool, typer.Option("--force", help="Write over files that are there.")]


async def fetch_all(
    wanted: Sequence[Download], folder: Path, fetch: Fetch, *, force: bool
) -> Sequence[Path]:
    """Each file in the folder, or the only one on stdout. Nothing is written unless all may be.

    Raises:
        FilesOfOneName: one would be written over the other.
        FileThere: another file is in the way.
        typer.BadParameter: several are to go to stdout.
    """
    if folder == STDOUT:
        return [await _to_stdout(wanted, fetch)]
    first: dict[Path, Download] = {}
    for item in wanted:
        target = target_of(item, folder)
        other = first.setdefault(target, item)
        if other.id != item.id:
            raise FilesOfOneName(path=target, files=f"{other.id} and {item.id}")
        if not force and await asyncio.to_thread(_is_another, target, item):
            raise FileThere(path=target)
    return [await fetch(item, folder) for item in wanted]


def print_file(path: Path) -> None:
    """Its bytes, on stdout."""
    with path.open("rb") as file:
        shutil.copyfileobj(file, sys.stdout.buffer)
    sys.stdout.buffer.flush()


async def _to_stdout(wanted: Sequence[Download], fetch: Fetch) -> Path:
    """Once it is here and was verified: what has been printed cannot be taken back."""
    if len(wanted) != 1:
        message = f"one file can go to stdout, and these are {len(wanted):,}; name one"
        raise typer.BadParameter(message, param_hint="-o")
    with tempfile.TemporaryDirectory() as folder:
        print_file(await fetch(wanted[0], Path(folder)))
    return STDOUT


def _is_another(path: Path, wanted: Download) -> bool:
    """Whether something is there that is not what would be written."""
    if not path.is_file():
        return path.exists() or path.is_symlink()
    if path.stat().st_size != wanted.size or wanted.sha256 is None:
        return True
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() != wanted.sha256
    except OSError:
        return True

"""A private folder for Unix sockets, whose paths the kernel bounds."""

import os
import re
import shutil
import tempfile
from pathlib import Path

# sun_path of sockaddr_un holds 108 bytes, the last a NUL; ours are named at most like this.
_SOCKET_PATH_BYTES = 107
_LONGEST_SOCKET_NAME = ".s.PGSQL.5432.lock"
# PostgreSQL takes a comma as the start of another folder, SQLAlchemy a colon as that of a port.
_PLAIN_PATH = re.compile(r"[A-Za-z0-9/._-]+")
# Not TMPDIR, which may be long too.
_SHORT_FOLDER = Path("/tmp")  # noqa: S108  (mkdtemp makes names that nobody can foresee)
_PREFIX = "agentos-"


def make_socket_folder(place: Path) -> Path:
    """Make ``place``, or, where its path is too long or odd, a short folder that it links to."""
    remove_socket_folder(place)
    if _fits_sockets(place):
        place.mkdir(mode=0o700)
        return place
    short = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=_SHORT_FOLDER))
    place.symlink_to(short)  # so that it is found and removed, even after a kill
    return short


def remove_socket_folder(place: Path) -> None:
    """Remove what ``make_socket_folder`` made. Nobody may be using it."""
    if place.is_symlink():
        target = place.readlink()
        if target.parent == _SHORT_FOLDER and target.name.startswith(_PREFIX):
            shutil.rmtree(target, ignore_errors=True)
        place.unlink()
    elif place.exists():
        shutil.rmtree(place)


def _fits_sockets(folder: Path) -> bool:
    length = len(os.fsencode(folder / _LONGEST_SOCKET_NAME))
    return length <= _SOCKET_PATH_BYTES and _PLAIN_PATH.fullmatch(str(folder)) is not None

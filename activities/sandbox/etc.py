"""What a sandbox has in /etc: a copy of those files of this machine that say nothing of its users.

One folder is shown instead of twenty files, each of which would be a mount of its own: all of them
take a sandbox more than a millisecond of processor time.
"""

import contextlib
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import structlog

from activities.sandbox.folders import remove
from activities.sandbox.own_folder import OwnFolder

# Small files of the sandbox's own. Nobody there is a user of the host.
OWN_FILES: Mapping[str, bytes] = {
    "passwd": b"sandbox:x:1000:1000:sandbox:/tmp:/bin/sh\n"
    b"nobody:x:65534:65534:nobody:/:/usr/sbin/nologin\n",
    "group": b"sandbox:x:1000:\nnogroup:x:65534:\n",
    "hosts": b"127.0.0.1 localhost sandbox\n::1 localhost\n",
}
SHOWN = (
    "alternatives",
    "ca-certificates.conf",
    "crypto-policies",
    "fonts",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "localtime",
    "mime.types",
    "nsswitch.conf",
    "pki/ca-trust/extracted",
    "pki/tls/certs",
    "protocols",
    "services",
    "ssl/certs",
    "ssl/openssl.cnf",
)

# How long a change in /etc, such as another certificate, may take to be seen: looking takes some
# milliseconds.
SEEN_AFTER_SECONDS = 10.0
# Jobs that run still see a copy from before. It is some 500 KB.
_MOST_COPIES = 8

# What a change of a file changes: its inode, when it was changed, and its size.
_State = tuple[str, int, int, int]

log = structlog.get_logger(__name__)


class Etc:
    """Copies in a folder of our own within ``shared``, which users of jobs can pass. ``source`` is
    copied anew when it has changed."""

    def __init__(
        self,
        shared: Path,
        *,
        source: Path = Path("/etc"),
        seen_after_seconds: float = SEEN_AFTER_SECONDS,
    ) -> None:
        """Raises ``OSError``: the copy cannot be made."""
        self._source = source
        self._seen_after_seconds = seen_after_seconds
        self._folder = OwnFolder(shared)
        with contextlib.ExitStack() as failed:
            failed.callback(self._folder.close)
            self._state = self._look()
            self._copies = [self._copy()]
            failed.pop_all()

    def folder(self) -> Path:
        """The copy to show from now on."""
        if time.monotonic() - self._looked_at >= self._seen_after_seconds:
            self._refresh()
        return self._copies[-1]

    def close(self) -> None:
        """When no job is left."""
        self._folder.close()

    def _refresh(self) -> None:
        state = self._look()
        if state == self._state:
            return
        try:
            self._copies.append(self._copy())
        except OSError as error:  # What is there does until the next look.
            log.warning("sandbox.etc_not_copied", reason=str(error))
            return
        self._state = state
        while len(self._copies) > _MOST_COPIES:
            remove(self._copies.pop(0))

    def _look(self) -> list[_State]:
        self._looked_at = time.monotonic()
        return [state for name in SHOWN for state in _states(self._source / name)]

    def _copy(self) -> Path:
        copy = Path(tempfile.mkdtemp(dir=self._folder.make()))
        with contextlib.ExitStack() as failed:
            failed.callback(remove, copy)
            for name in SHOWN:
                try:  # As a mount of it would be: a link in its place is followed.
                    found = (self._source / name).resolve(strict=True)
                except (OSError, RuntimeError):
                    continue
                _make_folders(copy, (copy / name).parent)
                _copy_if_readable(found, copy / name)
            for name, content in OWN_FILES.items():
                (copy / name).write_bytes(content)
                (copy / name).chmod(0o644)
            copy.chmod(0o755)
            failed.pop_all()
        return copy


def _make_folders(top: Path, folder: Path) -> None:
    if folder != top and not folder.exists():
        _make_folders(top, folder.parent)
        folder.mkdir()
        folder.chmod(0o755)  # Whatever the umask.


def _copy_if_readable(source: Path, to: Path) -> None:
    with contextlib.suppress(FileNotFoundError, PermissionError):
        _copy(source, to)


def _copy(source: Path, to: Path) -> None:
    """With its permissions: nobody can read more of the copy. What we cannot read ourselves is left
    out, and so is all that is no file, folder or link."""
    status = source.lstat()
    if stat.S_ISLNK(status.st_mode):
        to.symlink_to(source.readlink())
    elif stat.S_ISDIR(status.st_mode):
        names = sorted(entry.name for entry in source.iterdir())
        to.mkdir()
        for name in names:
            _copy_if_readable(source / name, to / name)
        to.chmod(stat.S_IMODE(status.st_mode) & 0o777)
    elif stat.S_ISREG(status.st_mode):
        with source.open("rb") as file, to.open("xb") as copied:
            os.fchmod(copied.fileno(), stat.S_IMODE(status.st_mode) & 0o777)
            shutil.copyfileobj(file, copied)


def _states(path: Path) -> Iterator[_State]:
    """Of what is at the path, and of all below it."""
    try:
        status = path.stat()
    except OSError:
        return
    yield str(path), status.st_ino, status.st_ctime_ns, status.st_size
    if stat.S_ISDIR(status.st_mode):
        with contextlib.suppress(OSError), os.scandir(path) as entries:
            for entry in sorted(entries, key=lambda entry: entry.name):
                if entry.is_dir(follow_symlinks=False):
                    yield from _states(Path(entry.path))
                else:
                    status = entry.stat(follow_symlinks=False)
                    yield entry.path, status.st_ino, status.st_ctime_ns, status.st_size

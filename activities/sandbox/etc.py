"""What a sandbox has in /etc: a copy of those files of this machine that say nothing of its users.

One folder is shown instead of twenty files, each of which would be a mount of its own: all of them
take a sandbox more than a millisecond of processor time.
"""

import contextlib
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import structlog

from activities.sandbox.etc_copy import (
    Budget,
    State,
    TooLarge,
    copy_if_readable,
    is_closed_above,
    make_folders,
    states,
)
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

# How long a change in /etc, such as another certificate, may take to be looked for.
SEEN_AFTER_SECONDS = 10.0

log = structlog.get_logger(__name__)


class Etc:
    """Copies in a folder of our own within ``shared``, which users of jobs can pass. ``source`` is
    copied anew when it has changed: beside the event loop, for which a second is long. Jobs see
    the copy from before until then, and those that have begun with one keep it."""

    def __init__(
        self,
        shared: Path,
        *,
        source: Path = Path("/etc"),
        seen_after_seconds: float = SEEN_AFTER_SECONDS,
    ) -> None:
        self._source = source
        self._seen_after_seconds = seen_after_seconds
        self._folder = OwnFolder(shared)
        self._state: list[State] | None = None
        self._current: Path | None = None
        # Between a job that takes the newest copy and the removal of those that nobody sees.
        self._lock = threading.Lock()
        self._users: Counter[Path | None] = Counter()
        self._old: list[Path] = []
        self._looking: threading.Thread | None = None
        self._look()

    @contextlib.contextmanager
    def shown(self) -> Iterator[Path | None]:
        """The copy for a job to see, which stays as it is while the block runs. None where there
        is none: it could not be made, or somebody has removed it."""
        self._look_if_due()
        with self._lock:
            copy = self._current
            self._users[copy] += 1
        try:
            # Without it bwrap would fail, and so would every job.
            yield copy if copy and copy.is_dir() else None
        finally:
            with self._lock:
                self._users[copy] -= 1

    def close(self) -> None:
        """When no job is left."""
        if self._looking is not None:
            self._looking.join()
        self._folder.close()

    def _look_if_due(self) -> None:
        is_due = time.monotonic() - self._looked_at >= self._seen_after_seconds
        if is_due and (self._looking is None or not self._looking.is_alive()):
            looking = threading.Thread(target=self._look, name="sandbox-etc")
            with contextlib.suppress(RuntimeError):  # No thread can be had: the next job looks.
                looking.start()
                self._looking = looking

    def _look(self) -> None:
        """Never twice at once."""
        self._looked_at = time.monotonic()
        is_gone = self._current is not None and not self._current.is_dir()
        state = [state for name in SHOWN for state in states(self._source / name)]
        if state != self._state or is_gone:
            self._renew(state)
        with self._lock:
            unused = [copy for copy in self._old if not self._users[copy]]
        for copy in unused:
            self._old.remove(copy)
            del self._users[copy]
            remove(copy)

    def _renew(self, state: list[State]) -> None:
        copy: Path | None = None
        try:
            copy = self._copy()
        except TooLarge as error:  # Nor is that from before shown any longer: it has changed.
            log.warning("sandbox.etc_not_copied", reason=str(error))
        except OSError as error:  # What is there does until the next look.
            log.warning("sandbox.etc_not_copied", reason=str(error))
            return
        self._state = state
        with self._lock:
            before, self._current = self._current, copy
        if before is not None:
            self._old.append(before)

    def _copy(self) -> Path:
        copy = Path(tempfile.mkdtemp(dir=self._folder.make()))
        budget = Budget()
        with contextlib.ExitStack() as failed:
            failed.callback(remove, copy)
            for name in SHOWN:
                try:  # As a mount of it would be: a link in its place is followed.
                    found = (self._source / name).resolve(strict=True)
                    if is_closed_above(found):
                        continue
                except (OSError, RuntimeError):
                    continue
                make_folders(copy, (copy / name).parent)
                copy_if_readable(found, copy / name, budget)
            for name, content in OWN_FILES.items():
                (copy / name).write_bytes(content)
                (copy / name).chmod(0o644)
            copy.chmod(0o755)
            failed.pop_all()
        return copy

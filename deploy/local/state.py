"""The data folder: who runs on it, where its parts listen, and what must be kept secret."""

import json
import os
import secrets
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from activities.aes_keys import KEY_BYTES, id_of, read_keys
from activities.file_lock import is_at, try_lock_open
from deploy.local.errors import (
    DataFolderBusy,
    DataFolderUnusable,
    SecretsKeyUnusable,
    StackInUse,
    StackNotOurs,
)
from deploy.local.holder import MOST_BYTES, Holder, Work, holder_in
from deploy.local.sockets import make_socket_folder, remove_socket_folder

SECRETS_KEY = "secrets-key"
_SECRETS_KEY_IDS = "secrets-key-ids"  # not one of the secrets: it tells nothing of a key
_ORPHANS_END_SECONDS = 10.0
_POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class RunningPart:
    """One line of ``services.json``."""

    url: str | None
    pid: int


class DataFolder:
    """A folder held by one running stack at most, or by a command that works on its state.

    The lock is an open file that every part of the stack inherits. So it is free only once all of
    them are gone, and whoever gets it shares the data with no straggler of a killed stack.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self._lock: int | None = None
        self._sockets: Path | None = None

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    @property
    def _lock_file(self) -> Path:
        return self.path / "lock"

    @property
    def _services_file(self) -> Path:
        return self.path / "services.json"

    @property
    def _socket_place(self) -> Path:
        return self.path / "run"

    def acquire(self, work: Work = Work.UP) -> int:
        """Make the folder ours alone; gives the descriptor that parts inherit.

        Raises:
            StackInUse: a living stack has it.
            DataFolderBusy: another command has it.
            DataFolderUnusable: it cannot be made or written.
        """
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.logs.mkdir(mode=0o700, exist_ok=True)
            lock = os.open(self._lock_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            reason = error.strerror or str(error)
            raise DataFolderUnusable(data_dir=self.path, reason=reason) from error
        try:
            self._wait_for_lock(lock)
        except BaseException:
            os.close(lock)
            raise
        self._lock = lock
        self._services_file.unlink(missing_ok=True)
        try:
            os.ftruncate(lock, 0)
            os.pwrite(lock, Holder(os.getpid(), work).text.encode(), 0)
        except OSError as error:
            self.release()
            reason = error.strerror or str(error)
            raise DataFolderUnusable(data_dir=self.path, reason=reason) from error
        return lock

    def release(self) -> None:
        """Give the folder back, with nothing left that says it is in use."""
        if self._lock is not None:
            self.clear()
            self.let_go()

    def clear(self) -> None:
        """Remove what says that the folder is in use. It stays ours."""
        self._services_file.unlink(missing_ok=True)
        remove_socket_folder(self._socket_place)
        self._sockets = None

    def let_go(self) -> None:
        """Give the folder back as it is, wherever it is by now."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def move_to(self, place: Path) -> None:
        """Rename the folder while it is ours: what takes its old name has a lock of its own.

        Raises:
            OSError: something is in that place.
        """
        self.path.rename(place)
        self.path = place

    def folder(self, name: str) -> Path:
        """The folder of one part, made when it is not there."""
        folder = self.path / name
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder

    def socket_folder(self) -> Path:
        """A folder that only we may enter, with a path short enough for Unix sockets."""
        if self._sockets is None:
            self._sockets = make_socket_folder(self._socket_place)
        return self._sockets

    def secret(self, name: str, size_bytes: int = 20) -> str:
        """Random hexadecimal digits that stay the same for this folder."""
        path = self.folder("secrets") / name
        if not path.exists():
            self.write(path, secrets.token_hex(size_bytes))
        return path.read_text()

    def secrets_key(self) -> str:
        """With which secrets of MCP servers and webhooks are sealed; made when it is not there.

        Raises:
            SecretsKeyUnusable: something else has been written into its file.
        """
        secrets_keys(self.path)
        return self.secret(SECRETS_KEY, KEY_BYTES)

    def tell_secrets_keys(self, keys: str) -> None:
        """Write down the ids of the keys that API and workers have: who seals a secret with another
        would learn of it from nobody."""
        try:
            ids = [id_of(key) for key in read_keys(keys)]
        except ValueError:  # API and workers say what is wrong.
            ids = []
        self.write(self.path / _SECRETS_KEY_IDS, ",".join(ids))

    def write(self, path: Path, text: str) -> None:
        """Write a file that only we may read, whole or not at all."""
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
        temporary = Path(name)
        try:
            with os.fdopen(descriptor, "w") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except OSError:
            temporary.unlink()
            raise

    def publish(self, parts: Mapping[str, RunningPart]) -> None:
        """Write ``services.json``."""
        document = {name: asdict(part) for name, part in parts.items()}
        self.write(self._services_file, json.dumps(document, indent=2) + "\n")

    def _wait_for_lock(self, lock: int) -> None:
        deadline = time.monotonic() + _ORPHANS_END_SECONDS
        # One that was moved meanwhile is the lock of another folder.
        while not (try_lock_open(lock) and is_at(lock, self._lock_file)):
            holder = holder_in(os.pread(lock, MOST_BYTES, 0))
            # Without its `up`, the parts that hold the lock are on their way out.
            if _is_alive(holder.pid) or time.monotonic() > deadline:
                raise self._in_use(holder)
            time.sleep(_POLL_SECONDS)

    def _in_use(self, holder: Holder) -> StackInUse | DataFolderBusy:
        pid = "unknown" if holder.pid is None else holder.pid
        if holder.work is Work.UP:
            return StackInUse(pid=pid, data_dir=self.path)
        return DataFolderBusy(work=holder.work, pid=pid, data_dir=self.path)


def running_parts(data_dir: Path) -> dict[str, RunningPart]:
    """What runs on a data folder now; nothing, when a killed stack left the file behind.

    Raises:
        StackNotOurs: only another user can see that.
    """
    folder = data_dir.absolute()
    try:
        with (folder / "lock").open("rb") as lock:
            if try_lock_open(lock.fileno(), shared=True):
                return {}
    except PermissionError:
        raise StackNotOurs(data_dir=folder) from None
    except OSError:  # no such folder
        return {}
    try:
        document = json.loads((folder / "services.json").read_bytes())
    except FileNotFoundError:  # it is starting
        return {}
    return {name: RunningPart(**part) for name, part in document.items()}


def _is_alive(pid: int | None) -> bool:
    try:
        status = "" if pid is None else Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    # The state follows the name in brackets. A zombie has died, though its parent did not notice.
    return status.rpartition(")")[2].strip()[:1] not in {"", "Z", "X"}


def secrets_keys(data_dir: Path) -> Sequence[bytes]:
    """The key of the secrets of MCP servers; none where no stack has made one.

    Raises:
        StackNotOurs: only another user can read it.
        SecretsKeyUnusable: it is none.
    """
    try:
        text = _text_in(data_dir, "secrets", SECRETS_KEY)
        return () if text is None else read_keys(text)
    except ValueError:
        file = data_dir.absolute() / "secrets" / SECRETS_KEY
        raise SecretsKeyUnusable(file=file) from None


def secrets_key_ids(data_dir: Path) -> Sequence[str]:
    """Of the keys that the stack which runs on a folder, or ran last, was started with; none where
    that is not known. Raises ``StackNotOurs``."""
    text = _text_in(data_dir, _SECRETS_KEY_IDS)
    return text.split(",") if text else ()


def _text_in(data_dir: Path, *names: str) -> str | None:
    """Of a file of the folder; None where there is none."""
    try:
        return data_dir.joinpath(*names).read_text()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except PermissionError:
        raise StackNotOurs(data_dir=data_dir.absolute()) from None

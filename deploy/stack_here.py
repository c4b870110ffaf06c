"""The stack that commands mean when they name no API: that of the folder they are typed in."""

import json
import os
from pathlib import Path
from typing import BinaryIO

from api.cli.connection import LocalStack
from api.cli.stack_errors import NoStackHere
from deploy import variables


def stack_here() -> LocalStack | None:
    """The stack on the data folder that `agentos up` would use; None where none of ours ever ran.

    A folder of another user, as one may be found in /tmp, might lead what we send, and our key, to
    a server of theirs. So what is looked at is the file that was opened.

    Raises:
        NoStackHere: it does not run. Who works in its folder means no other one, which may well
            have the usual port.
    """
    folder = variables.data_dir().absolute()
    try:
        with (folder / "lock").open("rb") as lock:
            if not _is_ours(lock):
                return None
            if _is_held_by_up(lock):
                return _stack_on(folder)
    except OSError:  # There is none, or it is not for us to see.
        return None
    raise NoStackHere(data_dir=folder)


def _stack_on(folder: Path) -> LocalStack | None:
    try:
        with (folder / "services.json").open("rb") as file:
            if not _is_ours(file):
                return None
            api = json.load(file).get("api", {})
    except FileNotFoundError:  # It is starting.
        api = {}
    return LocalStack(folder, api.get("url"))


def _is_ours(file: BinaryIO) -> bool:
    return os.fstat(file.fileno()).st_uid == os.geteuid()


def _is_held_by_up(lock: BinaryIO) -> bool:
    # Most commands are typed where there is no such folder, and do without these.
    from activities.file_lock import try_lock_open
    from deploy.local.holder import MOST_BYTES, Work, holder_in

    is_free = try_lock_open(lock.fileno(), shared=True)
    return not is_free and holder_in(lock.read(MOST_BYTES)).work is Work.UP

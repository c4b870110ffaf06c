"""The stack that commands mean when they name no API: that of the folder they are typed in."""

import os
from pathlib import Path

from api.cli.connection import LocalStack
from deploy import variables


def stack_here() -> LocalStack | None:
    """The stack on the data folder that `agentos up` would use, if one runs and is ours.

    A folder of another user might lead what we send, and our key, to a server of theirs.
    """
    folder = variables.data_dir().absolute()
    owners = [_owner(path) for path in (folder, folder / "lock", folder / "services.json")]
    ours = os.geteuid()
    if owners[:2] != [ours, ours] or owners[2] not in (ours, None):
        return None
    # Most commands are typed where there is no such folder, and do without these.
    from deploy.local.errors import StackNotOurs
    from deploy.local.holder import Work
    from deploy.local.holders import Holders
    from deploy.local.state import running_parts

    holders = Holders(folder)
    try:
        if not holders.is_held or holders.told.work is not Work.UP:
            return None
        api = running_parts(folder).get("api")
    except StackNotOurs:
        return None
    return LocalStack(folder, None if api is None else api.url)


def _owner(path: Path) -> int | None:
    try:
        return path.stat().st_uid
    except OSError:  # There is none, or it is not for us to see.
        return None

"""What can go wrong with a backup, or with restoring one."""

from workflows.errors import AgentOSError


class NothingToBackUp(AgentOSError):
    """No stack has ever run on the data folder {data_dir}, so there is nothing to back up. Say with
    --data-dir where the stack is."""


class StackNotSteady(AgentOSError):
    """The stack on {data_dir} is just starting or stopping (process {pid}). Try again in a few
    seconds."""


class BackupExists(AgentOSError):
    """{file} exists already. Choose another name, or replace it with --force."""


class BackupRunning(AgentOSError):
    """Another `agentos backup` is writing {file}. Wait until it has ended, or choose another
    name."""


class BackupUnwritable(AgentOSError):
    """The backup {file} cannot be written: {reason}. Choose another place for it."""


class BackupNeedsRoom(AgentOSError):
    """The backup needs about {needed_mib} MiB, and {folder} has {free_mib} MiB free. Free some
    space, or write it to another disk."""


class TooManySecrets(AgentOSError):
    """{folder} holds {count} files that may be secrets of AgentOS, and a backup takes {limit}. Move
    away what is not."""


class BackupUnreadable(AgentOSError):
    """{file} cannot be read: {reason}."""


class BackupDamaged(AgentOSError):
    """{file} is no whole backup of AgentOS: {reason}. Nothing was restored. Take another copy of
    the file, or an older backup."""


class BackupNewer(AgentOSError):
    """{file} was made by a newer version of AgentOS, {version}: {reason}. Nothing was restored.
    Restore it with that version, or a later one."""


class RestorePlaceTaken(AgentOSError):
    """{data_dir} exists already and is not empty; a backup is only restored into a new folder.
    Choose another one with --data-dir."""


class RestoreRunning(AgentOSError):
    """Another `agentos restore` is filling {data_dir} (process {pid}). Wait until it has ended, or
    choose another folder."""


class RestoreNeedsRoom(AgentOSError):
    """What {file} holds needs about {needed_mib} MiB, and {folder} has {free_mib} MiB free. Free
    some space, or choose another folder with --data-dir."""

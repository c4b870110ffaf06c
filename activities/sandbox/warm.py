"""A sandbox that was started before its job came, with an interpreter that waits for it.

It is a sandbox as any other, started by the same bwrap, with the same mounts, filter, bounds and
user. It serves one job, and ends with it.
"""

import marshal
import re
import resource
import socket
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from activities.sandbox.base import OUTPUT_FOLDER, Job, Limits
from activities.sandbox.cgroups import Cgroup
from activities.sandbox.folders import is_empty
from activities.sandbox.interpreter import PYTHON_FLAGS
from activities.sandbox.processes import Process
from activities.sandbox.profile import environment
from activities.sandbox.warm_folders import Unfit, WarmFolders, can_be_copied
from activities.units import KIBIBYTE

_BOOT = Path(__file__).with_name("boot.py").read_text()

# Runs a script in the one frame that it has above its own, on line 1 as Python would say. Of an
# error it is told when none is being handled, as it is with Python's own end.
_LINES = """\
try: exec({boot!r}); exec(*begin({descriptor}))
except SystemExit: raise
except BaseException as error: raised = error
else: raised = None
if raised: end(raised)
"""

# As much as a pipe holds, and less than a socket: it is written at once or not at all.
_MESSAGE_BYTES = 64 * KIBIBYTE

# No job has as much: its own bound is set when it is there.
_CPU_SECONDS = 1_000_000

# Of what marshal writes: the one that every Python reads. Another one may run the jobs than ours.
_MARSHAL_VERSION = 2

# Of what Python and the C library read when they start: a script for which one of them is set needs
# an interpreter of its own.
_READ_AT_START = re.compile(
    r"PYTHON(?!PATH$)|LANG|LC_|TZ|HOME|LD_|LOCPATH|GCONV_|GLIBC_|MALLOC_|OPENSSL_"
)


def shape_of(limits: Limits) -> Limits:
    """What is bounded of a sandbox before its job is known."""
    _, most = resource.getrlimit(resource.RLIMIT_CPU)  # Of this worker: nothing inside gets more.
    seconds = _CPU_SECONDS if most == resource.RLIM_INFINITY else min(_CPU_SECONDS, most - 1)
    return replace(limits, wall_seconds=0.0, cpu_seconds=seconds)


def is_fit(job: Job) -> bool:
    """Whether a job can come to a sandbox that runs already."""
    if job.network or job.venv or job.interpreter or not can_be_copied(job):
        return False
    try:
        return is_empty(job.output)
    except OSError:  # What is wrong is told where its own sandbox is started.
        return False


def waiting_job(python: Path, shape: Limits, folders: WarmFolders, descriptor: int) -> Job:
    """What a sandbox does that waits for its job, which comes from a descriptor."""
    command = (str(python), *PYTHON_FLAGS, "-c", boot(descriptor))
    return Job(command, folders.output, limits=shape)


def boot(descriptor: int) -> str:
    """The program of an interpreter that waits for its job, which comes from a descriptor."""
    return _LINES.format(boot=_BOOT, descriptor=descriptor)


class WarmSandbox:
    """One that waits for its job, which comes over ``line``, and sees the copy ``etc`` of /etc, if
    there is one. ``claims`` is what it holds, such as its user: to be closed when it has ended."""

    def __init__(
        self,
        process: Process,
        folders: WarmFolders,
        line: socket.socket,
        *,
        uid: int | None,
        etc: Path | None,
        cgroup: Cgroup | None,
        claims: ExitStack,
    ) -> None:
        self.process = process
        self.folders = folders
        self.uid = uid
        self.cgroup = cgroup
        self.claims = claims
        self._etc = etc
        self._line = line

    def give(self, job: Job, bounded: Sequence[str], python: Path) -> Job:
        """Let a job begin, whose command is ``bounded``. Returns it as it is here.

        Raises:
            Unfit: what it is given cannot be brought here.
            BadInput: see ``profile.environment``.
        """
        variables = {**environment(job), "PWD": OUTPUT_FOLDER}  # As bwrap sets it.
        told = (list(bounded), variables, job.limits.cpu_seconds, _script_of(job, python))
        message = marshal.dumps(told, _MARSHAL_VERSION)
        if len(message) > _MESSAGE_BYTES:
            raise Unfit
        if self._etc is not None and not self._etc.is_dir():  # Somebody has removed it.
            raise Unfit
        self.folders.fill(job)
        try:
            written = self._line.send(message)
            self._line.shutdown(socket.SHUT_WR)
        except OSError as error:  # It has died while it waited.
            raise Unfit from error
        if written != len(message):  # Half a message is none, and ends it.
            raise Unfit
        return replace(job, output=self.folders.output)

    def has_begun(self) -> bool:
        """Whether it came to its job, once it has ended. Nobody in there can take that back."""
        try:
            return self._line.recv(1) != b""
        except OSError:
            return False


def _script_of(job: Job, python: Path) -> list[str]:
    """The Python script that the waiting interpreter can run, and its arguments; nothing for any
    other command."""
    flags = 1 + len(PYTHON_FLAGS)
    interpreter, words = job.command[:flags], job.command[flags:]
    if interpreter != (str(python), *PYTHON_FLAGS) or not words:
        return []
    is_early = any(_READ_AT_START.match(name) for name in job.environment)
    return [] if is_early or not words[0].endswith(".py") else list(words)

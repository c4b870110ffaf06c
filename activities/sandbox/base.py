"""What every sandbox backend offers: run one command over some folders, within limits.

Inside, whatever the backend: ``/workspace/input/<name>`` (read-only), ``/workspace/output/`` (the
working directory), ``/skills/<name>`` (read-only) and, when the job names one, ``/opt/venv``.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import ClassVar

from activities.disk import Room
from activities.units import MEBIBYTE

INPUT_FOLDER = "/workspace/input"
OUTPUT_FOLDER = "/workspace/output"
SKILLS_FOLDER = "/skills"
VENV_FOLDER = "/opt/venv"

# At the top of a virtual environment: the lock that it was made from. A sandbox that cannot be
# given the folder makes it again from that.
VENV_LOCK = "requirements.lock"


class Stream(StrEnum):
    STDOUT = "stdout"
    STDERR = "stderr"


class Limit(StrEnum):
    """A bound a job ran into."""

    WALL_TIME = "wall_time"
    CPU_TIME = "cpu_time"
    MEMORY = "memory"
    PROCESSES = "processes"
    PRINTED = "printed"
    DISK = "disk"
    FILES = "files"
    FILE_SIZE = "file_size"


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on one job as a whole, all its processes together."""

    wall_seconds: float = 300.0
    cpu_seconds: int = 300
    memory_bytes: int = 2048 * MEBIBYTE
    processes: int = 128
    printed_bytes: int = 16 * MEBIBYTE
    disk_bytes: int = 2048 * MEBIBYTE
    files: int = 10_000
    file_bytes: int = 1024 * MEBIBYTE
    open_files: int = 1024


@dataclass(frozen=True, slots=True)
class Job:
    """One command to run.

    ``inputs`` and ``skills`` map a name inside to a path outside: an input is a regular file, a
    skill is a folder. ``output`` is an existing folder outside; the caller owns it, and what it
    holds already is visible (and writable) inside; what the job makes may come there only when it
    has ended, in place of what has the same name by then. ``interpreter`` is another Python than
    the sandbox's own, to be found inside under the same path. ``network`` is the public internet,
    through the proxy that the variables ``HTTP_PROXY`` and ``HTTPS_PROXY`` name, where the backend
    is not in a cloud itself.
    """

    command: tuple[str, ...]
    output: Path
    inputs: Mapping[str, Path] = field(default_factory=dict)
    skills: Mapping[str, Path] = field(default_factory=dict)
    venv: Path | None = None
    interpreter: Path | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    network: bool = False
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, slots=True)
class NoRoom:
    """What was seen of the disk of this machine when a job was stopped for want of room on it: the
    job had written less than it may. ``free_at_begin_bytes`` was free when it began."""

    room: Room
    written_bytes: int
    free_at_begin_bytes: int


@dataclass(frozen=True, slots=True)
class Exit:
    """How a job ended. ``signal`` is set when it was killed, ``limit`` when a bound was why;
    ``no_room`` where that was the disk's and not its own. ``start_ms`` is how long it took until
    its process was there, its place waited for. ``was_warm`` says that its sandbox had been started
    before it came."""

    code: int | None
    signal: int | None
    limit: Limit | None
    duration_ms: int
    peak_memory_bytes: int | None
    start_ms: int | None = None
    was_warm: bool = False
    no_room: NoRoom | None = None

    @property
    def ok(self) -> bool:
        return self.code == 0 and self.limit is None


OnOutput = Callable[[Stream, bytes], None]


class Sandbox(ABC):
    """A place where untrusted code runs."""

    name: ClassVar[str]
    # Whether a job may be given another Python than the sandbox's own.
    takes_interpreters: ClassVar[bool] = False
    # Whether a check is paid for: then nobody makes one again and again.
    has_costly_check: ClassVar[bool] = False

    @property
    def python(self) -> Path:
        """The interpreter of scripts, as it is found inside."""
        return Path("python3")

    @property
    def kind(self) -> str:
        """What a result may depend on of where it was made."""
        return self.name

    @abstractmethod
    async def run(self, job: Job, on_output: OnOutput) -> Exit:
        """Run a job to its end, handing each piece of its output to ``on_output`` as it comes.

        When it returns or raises, no process of the job is alive. Cancelling it kills the whole
        tree within a second. Running into a limit is not an error here: see ``Exit.limit``.

        Raises:
            SandboxUnavailable: the backend cannot start jobs on this machine; says how to fix it.
            BadInput: the job makes no sense, such as a NUL byte in its command.
            TemporaryFailure: the machine or the service is out of something for a moment.
        """

    async def warm_up(self, limits: Limits) -> None:  # noqa: B027  (most backends cannot)
        """Prepare for jobs with these limits, if the backend can prepare for jobs to come.

        Raises:
            SandboxUnavailable: see ``run``.
        """

    @abstractmethod
    async def check(self) -> str:
        """Prove that a job can run here, and leave nothing behind on this machine. Tells what is
        not alike everywhere, such as how limits are enforced.

        Raises:
            SandboxUnavailable: it cannot; says how to fix it.
            AgentOSError: it did not this time.
        """

    async def close(self) -> None:  # noqa: B027  (most backends hold nothing)
        """Give back what the backend holds."""

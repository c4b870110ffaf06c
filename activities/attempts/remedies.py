"""What to do about a script that ran into a limit, was killed, or ended with a code that tells."""

import signal
from collections.abc import Mapping
from typing import Final

from activities.sandbox.base import Limit

_RAISE: Final = "or have whoever runs AgentOS raise {setting} for the workers."

_LESS: Final[Mapping[Limit, str]] = {
    Limit.MEMORY: "have it hold less at once, {raise_it}",
    Limit.PROCESSES: "have it start fewer processes and threads, {raise_it}",
    Limit.PRINTED: "have it print less, or write to a file, {raise_it}",
    Limit.DISK: "have it write less, or remove what it needs no more, {raise_it}",
    Limit.FILES: "have it pack its files into one archive, {raise_it}",
    Limit.FILE_SIZE: "have it split or compress that file, {raise_it}",
}
_SETTINGS: Final[Mapping[Limit, str]] = {
    Limit.MEMORY: "AGENTOS_SANDBOX_MEMORY_MIB",
    Limit.PROCESSES: "AGENTOS_SANDBOX_PROCESSES",
    Limit.PRINTED: "AGENTOS_SANDBOX_PRINTED_MIB",
    Limit.DISK: "AGENTOS_SANDBOX_DISK_MIB",
    Limit.FILES: "AGENTOS_SANDBOX_FILES",
    Limit.FILE_SIZE: "AGENTOS_SANDBOX_FILE_MIB",
}

_CRASHED: Final = "a library in it has crashed: look at what it did last, or use another version."
_SIGNALS: Final[Mapping[int, str]] = {
    signal.SIGKILL: (
        "nothing in the sandbox says who did; mostly the machine ran out of memory. Have it hold "
        "less at once, or give the worker more."
    ),
    signal.SIGSEGV: _CRASHED,
    signal.SIGABRT: _CRASHED,
    signal.SIGBUS: _CRASHED,
    signal.SIGILL: "it has instructions that this processor does not know: use another build.",
    signal.SIGSYS: "it asked the kernel for what the sandbox does not allow: do without that.",
    signal.SIGPIPE: "it wrote to a program that had ended: read all that it writes.",
}
_CODES: Final[Mapping[int, str]] = {
    126: "what it tried to run is no program: look at its first line, and at its rights.",
    127: "it calls a command that is not in the sandbox: use one that is there, or Python.",
}


def remedy_of_limit(limit: Limit) -> str:
    """How to keep within a limit, and who can raise it."""
    if limit in _SETTINGS:
        raise_it = _RAISE.format(setting=_SETTINGS[limit])
        return _LESS[limit].format(raise_it=raise_it)
    # Processor time follows from the time that the step may take.
    return "give the step a longer `timeout`, of which it may use four processors, or less work."


def remedy_of_signal(number: int | None) -> str:
    """What a signal mostly means."""
    return _SIGNALS.get(number or 0, "")


def remedy_of_code(code: int) -> str:
    """What an exit code that shells give means; that of a program killed within, too."""
    return _CODES.get(code) or remedy_of_signal(code - 128 if code > 128 else None)

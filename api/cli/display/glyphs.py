"""The signs of states, for terminals with and without Unicode."""

from collections.abc import Mapping
from dataclasses import dataclass

from rich.console import Console

from workflows.open_values import Unknown
from workflows.states import LIVING, Status

_SPINS_PER_SECOND = 12.5


@dataclass(frozen=True, slots=True)
class Glyphs:
    states: Mapping[Status | Unknown, str]
    spinner: str
    unknown: str
    output: str
    file: str
    between: str
    branch: str
    last_branch: str
    past_branch: str
    no_branch: str

    def of(self, status: Status | Unknown, seconds: float = 0.0) -> str:
        """The sign of a state; that of a running one turns as the seconds pass."""
        if status is Status.RUNNING:
            return self.spinner[int(seconds * _SPINS_PER_SECOND) % len(self.spinner)]
        return self.states.get(status, self.unknown)


def _states(
    *, done: str, failed: str, stopped: str, again: str, held: str, pending: str
) -> Mapping[Status | Unknown, str]:
    return {
        **dict.fromkeys(LIVING, held),  # unless said otherwise below
        Status.COMPLETED: done,
        Status.FAILED: failed,
        Status.BLOCKED: failed,
        Status.CANCELLED: stopped,
        Status.QUEUED: again,
        Status.PENDING: pending,
    }


UNICODE = Glyphs(
    _states(done="✓", failed="✗", stopped="■", again="↻", held="‖", pending="·"),
    spinner="⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏",
    unknown="?",
    output="│",
    file="↳",
    between=" · ",
    branch="├─ ",
    last_branch="└─ ",
    past_branch="│  ",
    no_branch="   ",
)
ASCII = Glyphs(
    _states(done="+", failed="x", stopped="#", again="~", held="=", pending="."),
    spinner="|/-\\",
    unknown="?",
    output="|",
    file=">",
    between=" - ",
    branch="|- ",
    last_branch="`- ",
    past_branch="|  ",
    no_branch="   ",
)

_STYLES: Mapping[Status | Unknown, str] = {
    **dict.fromkeys(LIVING, "yellow"),
    Status.COMPLETED: "bold green",
    Status.FAILED: "bold red",
    Status.BLOCKED: "bold red",
    Status.CANCELLED: "yellow",
    Status.RUNNING: "cyan",
    Status.PENDING: "dim",
}


def style_of(status: Status | Unknown) -> str:
    return _STYLES.get(status, "")


def glyphs_of(console: Console) -> Glyphs:
    return ASCII if console.options.ascii_only else UNICODE

"""The options that say which tasks."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from api.cli.commands import moments
from workflows.states import Status, TaskType

OfStatus = Annotated[list[Status] | None, typer.Option("--status", help="Only with this status.")]
OfType = Annotated[list[TaskType] | None, typer.Option("--type", help="Only of this type.")]
WithText = Annotated[
    str | None,
    typer.Option("--text", show_default=False, help="Only with this text in the name or prompt."),
]
OfName = Annotated[
    str | None, typer.Option("--name", show_default=False, help="Only of this name.")
]
NewerThan = Annotated[
    str | None,
    typer.Option(
        "--since",
        parser=moments.in_a_query,
        metavar="TIME",
        show_default=False,
        help="Only submitted since: 2026-11-29T12:00 (UTC), or how long ago: 90m, 2d.",
    ),
]
OlderThan = Annotated[
    str | None,
    typer.Option(
        "--older-than",
        "--until",
        parser=moments.in_a_query,
        metavar="TIME",
        show_default=False,
        help="Only submitted before.",
    ),
]


@dataclass(frozen=True, slots=True)
class TaskFilter:
    """What these options say, as far as they were given."""

    statuses: Sequence[Status] | None = None
    types: Sequence[TaskType] | None = None
    text: str | None = None
    name: str | None = None
    after: str | None = None
    before: str | None = None

    @property
    def fields(self) -> dict[str, Any]:
        """In the words of the API."""
        fields: dict[str, Any] = {
            "status": tuple(self.statuses) if self.statuses else None,
            "type": tuple(self.types) if self.types else None,
            "text": self.text,
            "name": self.name,
            "created_after": self.after,
            "created_before": self.before,
        }
        return {name: value for name, value in fields.items() if value is not None}

"""The options that choose dead letters."""

from collections.abc import Sequence
from typing import Annotated

import typer

from api.cli.commands import moments
from workflows.states import LetterState, TaskType

Fingerprint = Annotated[
    str | None,
    typer.Option(
        metavar="FINGERPRINT", show_default=False, help="Only of this group (`agentos dlq groups`)."
    ),
]
OfType = Annotated[
    list[TaskType] | None, typer.Option("--type", help="Only of tasks of this type.")
]
WithText = Annotated[
    str | None,
    typer.Option(
        "--text",
        show_default=False,
        help="Only with this text in the error, or in the name of the task or step.",
    ),
]
OfState = Annotated[
    list[LetterState] | None,
    typer.Option("--state", show_default="open", help="Only in this state."),
]
After = moments.After
Before = moments.Before
OfTask = Annotated[
    str | None,
    typer.Option("--task", metavar="ID", show_default=False, help="Only of this task."),
]

Query = dict[str, str | int | Sequence[str]]


def query_of(
    *,
    fingerprint: str | None = None,
    types: Sequence[TaskType] | None,
    text: str | None,
    states: Sequence[LetterState] | None,
    after: str | None,
    before: str | None,
) -> Query:
    """The query of ``GET /dead-letters``. Raises ``typer.BadParameter``."""
    moments.check_order(after, before)
    given: dict[str, str | Sequence[str] | None] = {
        "fingerprint": fingerprint,
        "type": types and [each.value for each in types],
        "text": text,
        "state": states and [each.value for each in states],
        "created_after": after,
        "created_before": before,
    }
    return {name: value for name, value in given.items() if value}

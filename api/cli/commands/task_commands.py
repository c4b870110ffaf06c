"""Commands that take a task of some type, each with the parameters of that type."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from api.cli.commands.inputs import GivenInputs, parse_inputs
from api.cli.commands.options import Format, Inputs, NoCache
from api.cli.commands.request_body import built
from api.cli.kinds.base import Kind
from api.cli.kinds.table import KINDS
from workflows.definitions.task_request import TaskRequest
from workflows.definitions.webhook import Callback

Callbacks = Annotated[
    list[str] | None,
    typer.Option(
        "--callback",
        metavar="URL",
        show_default=False,
        help="A URL to tell when the task waits for somebody or has ended.",
    ),
]
_DRY_RUN = inspect.Parameter(
    "dry_run",
    inspect.Parameter.KEYWORD_ONLY,
    default=False,
    annotation=Annotated[
        bool,
        typer.Option(
            "--dry-run", help="Only check it, whole; exit with 2 when something is wrong."
        ),
    ],
)
Priority = Annotated[int, typer.Option(min=1, max=10, help="10 is the most urgent.")]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a command line asks for, before a request is made of it: that may fail. ``options`` are
    those of the ``kind``."""

    kind: Kind[Any]
    given: GivenInputs
    options: Mapping[str, Any]
    request: Callable[[], TaskRequest]
    key: str | None = None


def add_task_commands(
    app: typer.Typer,
    handle: Callable[..., None],
    check: Callable[[typer.Context, Asked, Format], None] | None = None,
) -> None:
    """Add a command for each type of task that can be asked for.

    It calls ``handle`` with its context, the request, the inputs that are given for it, and with
    the options that ``handle`` has by keyword. With ``check`` there is ``--dry-run``, which calls
    that instead.
    """
    for task_type, kind in KINDS.items():
        if kind.request is not None:
            summary = inspect.getdoc(kind.request)
            app.command(task_type.value, help=summary)(_command(kind, handle, check))


def _command(
    kind: Kind[Any],
    handle: Callable[..., None],
    check: Callable[[typer.Context, Asked, Format], None] | None,
) -> Callable[..., None]:
    request = kind.request
    assert request is not None, "such a type has no command"

    def command(
        context: typer.Context,
        *,
        inputs: Inputs = None,
        priority: Priority = 5,
        no_cache: NoCache = False,
        callbacks: Callbacks = None,
        **options: Any,
    ) -> None:
        given: GivenInputs = parse_inputs(inputs)
        of_type = {item.name: options.pop(item.name) for item in own}

        def wanted() -> TaskRequest:
            return request(given, **of_type).model_copy(
                update={
                    "priority": priority,
                    "cache": not no_cache,
                    "callbacks": tuple(built(Callback, {"url": url}) for url in callbacks or ()),
                }
            )

        if check is not None and options.pop(_DRY_RUN.name):
            key = options.get("idempotency_key")
            check(context, Asked(kind, given, of_type, wanted, key), options["output"])
            return
        handle(context, wanted(), given, **options)

    context, *shared, _ = inspect.signature(command).parameters.values()
    _, *own = inspect.signature(request).parameters.values()
    parameters = inspect.signature(handle).parameters.values()
    further = [item for item in parameters if item.kind is item.KEYWORD_ONLY]
    # Typer reads the parameters of a command from here.
    every = [context, *own, *shared, *further, *([_DRY_RUN] if check is not None else ())]
    command.__signature__ = inspect.Signature(every)  # type: ignore[attr-defined]
    command.__annotations__ = {item.name: item.annotation for item in every}
    return command

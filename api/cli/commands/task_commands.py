"""Commands that take a task of some type, each with the parameters of that type."""

import inspect
from collections.abc import Callable
from typing import Annotated, Any

import typer

from api.cli.commands.inputs import GivenInputs, parse_inputs
from api.cli.commands.options import Inputs, NoCache
from api.cli.commands.request_body import built
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
Priority = Annotated[int, typer.Option(min=1, max=10, help="10 is the most urgent.")]


def add_task_commands(app: typer.Typer, handle: Callable[..., None]) -> None:
    """Add a command for each type of task that can be asked for.

    It calls ``handle`` with its context, the request, the inputs that are given for it, and with
    the options that ``handle`` has by keyword.
    """
    for task_type, kind in KINDS.items():
        if kind.request is not None:
            summary = inspect.getdoc(kind.request)
            app.command(task_type.value, help=summary)(_command(kind.request, handle))


def _command(
    request: Callable[..., TaskRequest], handle: Callable[..., None]
) -> Callable[..., None]:
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
        wanted = request(given, **of_type).model_copy(
            update={
                "priority": priority,
                "cache": not no_cache,
                "callbacks": tuple(built(Callback, {"url": url}) for url in callbacks or ()),
            }
        )
        handle(context, wanted, given, **options)

    context, *shared, _ = inspect.signature(command).parameters.values()
    _, *own = inspect.signature(request).parameters.values()
    parameters = inspect.signature(handle).parameters.values()
    further = [item for item in parameters if item.kind is item.KEYWORD_ONLY]
    # Typer reads the parameters of a command from here.
    every = [context, *own, *shared, *further]
    command.__signature__ = inspect.Signature(every)  # type: ignore[attr-defined]
    command.__annotations__ = {item.name: item.annotation for item in every}
    return command

"""``agentos submit``: submit a task."""

import inspect
from collections.abc import Callable, Sequence
from typing import Annotated

import typer

from api.cli.commands.inputs import GivenInputs, parse_inputs, upload_inputs
from api.cli.commands.options import Format, Inputs, NoCache, Output, Timeout, Wait, talk
from api.cli.commands.request_body import built
from api.cli.commands.waiting import Waiting, answer
from api.cli.exit_codes import ExitCode
from api.cli.kinds.table import KINDS
from api.client import Client
from api.wire.requests import TaskRequest
from workflows.definitions.webhook import Callback

app = typer.Typer(no_args_is_help=True)

Key = Annotated[
    str | None,
    typer.Option(
        "--idempotency-key",
        metavar="KEY",
        show_default=False,
        help="Submitting again with the same key returns the same task.",
    ),
]
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


def _command(request: Callable[..., TaskRequest]) -> Callable[..., None]:
    """A command with the parameters that a type's request takes, and those of every task."""

    def submit(
        context: typer.Context,
        *,
        inputs: Inputs = None,
        wait: Wait = False,
        timeout: Timeout = None,
        idempotency_key: Key = None,
        priority: Priority = 5,
        no_cache: NoCache = False,
        callbacks: Callbacks = None,
        output: Output = Format.TABLE,
        **own: object,
    ) -> None:
        given = parse_inputs(inputs)
        shared = {
            "priority": priority,
            "cache": not no_cache,
            "callbacks": _callbacks(callbacks or ()),
        }
        wanted = request(given, **own).model_copy(update=shared)
        _submit(context, wanted, given, idempotency_key, Waiting.of(wait, timeout, output))

    context, *shared, _ = inspect.signature(submit).parameters.values()
    _, *own = inspect.signature(request).parameters.values()
    # Typer reads the parameters of a command from here.
    submit.__signature__ = inspect.Signature([context, *own, *shared])  # type: ignore[attr-defined]
    submit.__annotations__ = {item.name: item.annotation for item in (context, *own, *shared)}
    return submit


for _type, _kind in KINDS.items():
    if _kind.request is not None:
        app.command(_type.value, help=inspect.getdoc(_kind.request))(_command(_kind.request))


def _callbacks(urls: Sequence[str]) -> tuple[Callback, ...]:
    return tuple(built(Callback, {"url": url}) for url in urls)


def _submit(
    context: typer.Context,
    request: TaskRequest,
    given: GivenInputs,
    idempotency_key: str | None,
    waiting: Waiting,
) -> None:
    async def converse(client: Client) -> ExitCode:
        references = await upload_inputs(client, given)
        accepted = await client.submit(
            request.model_copy(update={"inputs": references}), idempotency_key=idempotency_key
        )
        return await answer(client, accepted, waiting)

    raise typer.Exit(talk(context, converse))

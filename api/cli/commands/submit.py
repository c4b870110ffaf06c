"""``agentos submit``: submit a task."""

from typing import Annotated

import typer

from api.cli.commands.inputs import GivenInputs, upload_inputs
from api.cli.commands.options import Format, Output, Timeout, Wait, talk
from api.cli.commands.task_commands import add_task_commands
from api.cli.commands.waiting import Waiting, answer
from api.cli.exit_codes import ExitCode
from api.client import AsyncClient as Client
from workflows.definitions.task_request import TaskRequest

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


def _submit(
    context: typer.Context,
    request: TaskRequest,
    given: GivenInputs,
    *,
    wait: Wait = False,
    timeout: Timeout = None,
    idempotency_key: Key = None,
    output: Output = Format.TABLE,
) -> None:
    waiting = Waiting.of(wait, timeout, output)

    async def converse(client: Client) -> ExitCode:
        references = await upload_inputs(client, given)
        accepted = await client.submit(
            request.model_copy(update={"inputs": references}), idempotency_key=idempotency_key
        )
        return await answer(client, accepted, waiting)

    raise typer.Exit(talk(context, converse))


add_task_commands(app, _submit)

"""``agentos submit``: submit a task."""

from typing import Annotated

import typer

from api.cli.commands.checking import (
    Checked,
    check_pipeline,
    check_request,
    print_checked,
    tell_unchecked,
    tell_used_key,
)
from api.cli.commands.inputs import GivenInputs, upload_inputs
from api.cli.commands.options import Format, Output, Timeout, Wait, key_option, talk
from api.cli.commands.printing import print_json
from api.cli.commands.task_commands import Asked, add_task_commands
from api.cli.commands.waiting import Waiting, answer, tell_existing
from api.cli.exit_codes import ExitCode
from api.client import AsyncClient as Client
from workflows.definitions.task_request import TaskRequest

app = typer.Typer(no_args_is_help=True)

Key = Annotated[str | None, key_option("Submitting again with the same key returns the same task.")]


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
        tell_existing(accepted, idempotency_key)
        return await answer(client, accepted, waiting)

    raise typer.Exit(talk(context, converse))


def _check(context: typer.Context, asked: Asked, output: Format) -> None:
    """Say what is wrong, or what would run; nothing is uploaded or submitted."""
    source = asked.kind.source(asked.given, **asked.options)
    request = None if source is not None else asked.request()

    async def check(client: Client) -> Checked:
        if source is not None:
            return await check_pipeline(client, source, key=asked.key)
        assert request is not None, "it is made where there is no file"
        return await check_request(
            client, asked.kind.task_type.value, request, asked.given, asked.key
        )

    checked = talk(context, check)
    tell_unchecked(checked)
    tell_used_key(checked)
    print_json(checked) if output is Format.JSON else print_checked(checked)
    raise typer.Exit(ExitCode.OK if checked.valid else ExitCode.USAGE)


add_task_commands(app, _submit, _check)

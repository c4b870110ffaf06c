"""``agentos rerun``: a new task that does the same as one that there is."""

import typer

from api.cli.commands.inputs import parse_inputs, upload_inputs
from api.cli.commands.options import Format, Inputs, NoCache, Output, TaskId, Timeout, Wait
from api.cli.commands.parameters import Parameters, values_for
from api.cli.commands.request_body import built
from api.cli.commands.submit import Key
from api.cli.commands.task_ids import talk_about
from api.cli.commands.waiting import Waiting, answer, tell_existing
from api.cli.exit_codes import ExitCode
from api.client import AsyncClient as Client
from api.wire.requests import RerunRequest


def rerun(
    context: typer.Context,
    *,
    task: TaskId,
    inputs: Inputs = None,
    parameters: Parameters = None,
    no_cache: NoCache = False,
    idempotency_key: Key = None,
    wait: Wait = False,
    timeout: Timeout = None,
    output: Output = Format.TABLE,
) -> None:
    """Submit a new task like another one, with other inputs where they are given.

    The other task stays as it is. What a model has chosen for a task of type auto is kept.
    """
    given = parse_inputs(inputs)
    waiting = Waiting.of(wait, timeout, output)

    async def again(client: Client, task_id: str) -> ExitCode:
        values = await values_for(client, task_id, parameters or ())
        document = {
            "inputs": await upload_inputs(client, given),
            "parameters": values,
            "cache": False if no_cache else None,
        }
        wanted = built(RerunRequest, document)
        accepted = await client.rerun(task_id, wanted, idempotency_key=idempotency_key)
        tell_existing(accepted, idempotency_key)
        return await answer(client, accepted, waiting)

    raise typer.Exit(talk_about(context, task, again))

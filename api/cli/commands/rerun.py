"""``agentos rerun``: a new task that does the same as one that there is."""

from typing import Annotated

import typer

from api.cli.commands.checking import tell_used_key
from api.cli.commands.inputs import parse_inputs, references_in, upload_inputs
from api.cli.commands.options import Format, Inputs, NoCache, Output, TaskId, Timeout, Wait
from api.cli.commands.parameters import Parameters, values_for
from api.cli.commands.printing import print_json
from api.cli.commands.request_body import built
from api.cli.commands.rerun_check import check_rerun, print_rerun
from api.cli.commands.submit import Key
from api.cli.commands.task_ids import talk_about
from api.cli.commands.waiting import Waiting, answer, tell_existing
from api.cli.exit_codes import ExitCode
from api.client import AsyncClient as Client
from api.wire.requests import RerunRequest

DryRun = Annotated[
    bool,
    typer.Option(
        "--dry-run",
        help="Only show what would be submitted, and how it differs from the task; exit with 2 "
        "when something is wrong.",
    ),
]


def rerun(
    context: typer.Context,
    *,
    task: TaskId,
    inputs: Inputs = None,
    parameters: Parameters = None,
    no_cache: NoCache = False,
    dry_run: DryRun = False,
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
        document = {"parameters": values, "cache": False if no_cache else None}
        if dry_run:
            wanted = built(RerunRequest, {**document, "inputs": references_in(given)})
            checked = await check_rerun(client, task_id, wanted, given, idempotency_key)
            tell_used_key(checked)
            print_json(checked) if output is Format.JSON else print_rerun(checked)
            return ExitCode.OK if checked.valid else ExitCode.USAGE
        references = await upload_inputs(client, given)
        wanted = built(RerunRequest, {**document, "inputs": references})
        accepted = await client.rerun(task_id, wanted, idempotency_key=idempotency_key)
        tell_existing(accepted, idempotency_key)
        return await answer(client, accepted, waiting)

    raise typer.Exit(talk_about(context, task, again))

"""``agentos retry``: run a task again that has ended, or those of a filter."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from api.cli.commands.foresight import (
    Foreseen,
    NewPipeline,
    Yes,
    ask_about_retry,
    print_foresight,
    say_beforehand,
    with_pipeline,
)
from api.cli.commands.inputs import GivenInputs, parse_inputs, upload_inputs
from api.cli.commands.options import Format, Inputs, NoCache, Output, SomeTaskId, Timeout, Wait
from api.cli.commands.parameters import Parameters, values_for
from api.cli.commands.request_body import built
from api.cli.commands.task_choice import Choice, Every, do_about_many, only_of_one
from api.cli.commands.task_filter import NewerThan, OfName, OfStatus, OfType, OlderThan, WithText
from api.cli.commands.task_ids import talk_about
from api.cli.commands.waiting import Waiting, answer
from api.cli.exit_codes import ExitCode
from api.client import AsyncClient as Client
from api.wire.bulk_tasks import BulkRetryRequest
from api.wire.requests import RetryRequest

Begin = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="STEP",
        show_default="the first not completed",
        help="The step, the node of a plan, or the call of an agent, such as 4.1, to start "
        "from; earlier results are kept.",
    ),
]
Description = Annotated[
    str | None,
    typer.Option("--description", help="What the node of --from has to do from now on."),
]


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is asked of one task. The ``parameters`` are NAME=VALUE, those of the pipeline that it
    has; in one that stands in a ``file`` they are set already."""

    request: RetryRequest
    inputs: GivenInputs
    parameters: Sequence[str]
    file: Path | None
    is_dry_run: bool
    yes: bool


def retry(
    context: typer.Context,
    *,
    task: SomeTaskId = None,
    begin: Begin = None,
    description: Description = None,
    pipeline: NewPipeline = None,
    inputs: Inputs = None,
    parameters: Parameters = None,
    no_cache: NoCache = False,
    plan: Foreseen = False,
    yes: Yes = False,
    wait: Wait = False,
    timeout: Timeout = None,
    statuses: OfStatus = None,
    types: OfType = None,
    name: OfName = None,
    text: WithText = None,
    after: NewerThan = None,
    before: OlderThan = None,
    every: Every = False,
    output: Output = Format.TABLE,
) -> None:
    """Retry a task that has ended.

    What is new of its pipeline, what keeps its result and what runs again is said before it begins.
    Without an ID, a filter says which tasks; completed ones only with --status completed.
    """
    choice = Choice(statuses, types, text, name, after, before, every)
    choice.check(task)
    if task is None:
        of_one = {
            "--description": description,
            "--pipeline": pipeline,
            "--input": inputs,
            "--set": parameters,
            "--no-cache": no_cache,
            "--wait": wait,
            "--timeout": timeout,
        }
        only_of_one(of_one)
        many = choice.request(BulkRetryRequest, **{"from": begin})
        do_about_many(context, many, dry_run=plan, yes=yes, output=output)
        return
    # By its alias: "from" is no name in Python.
    wanted = {"from": begin, "description": description, "cache": False if no_cache else None}
    request = with_pipeline(built(RetryRequest, wanted), pipeline, parameters)
    texts = () if pipeline else parameters or ()
    asked = _Asked(request, parse_inputs(inputs), texts, pipeline, plan, yes)
    waiting = Waiting.of(wait, timeout, output)
    talked = talk_about(context, task, lambda client, id_: _again(client, id_, asked, waiting))
    raise typer.Exit(talked)


async def _again(client: Client, task_id: str, asked: _Asked, waiting: Waiting) -> ExitCode:
    values = await values_for(client, task_id, asked.parameters)
    given = {"inputs": await upload_inputs(client, asked.inputs), "parameters": values}
    wanted = asked.request.model_copy(update=given)
    foresight = await client.foresee_retry(task_id, wanted)
    if asked.is_dry_run:
        print_foresight(foresight, waiting.output)
        return ExitCode.OK
    say_beforehand(foresight)
    ask_about_retry(wanted, asked.file, yes=asked.yes)
    return await answer(client, await client.retry(task_id, wanted), waiting)

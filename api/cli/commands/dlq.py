"""``agentos dlq``: dead letters, which are what ended badly and waits for somebody to act."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Annotated

import typer

from api.cli.commands.foresight import (
    Foreseen,
    NewPipeline,
    ask_about_retry,
    print_foresight,
    say_beforehand,
    with_pipeline,
)
from api.cli.commands.inputs import parse_inputs, upload_inputs
from api.cli.commands.letter_filter import (
    After,
    Before,
    Fingerprint,
    OfState,
    OfTask,
    OfType,
    WithText,
    query_of,
)
from api.cli.commands.letter_ids import find_letter_id
from api.cli.commands.letter_views import print_groups, print_letter, print_letters
from api.cli.commands.many_letters import (
    Canary,
    Every,
    Manner,
    Rate,
    Which,
    Yes,
    check_which,
    do_many,
    only_given,
    requeue_many,
)
from api.cli.commands.options import Format, Inputs, Output, Timeout, Wait, talk
from api.cli.commands.pages import first_items
from api.cli.commands.parameters import Parameters, Value, values_for
from api.cli.commands.printing import print_json
from api.cli.commands.request_body import built
from api.cli.commands.task_ids import find_task_id
from api.cli.commands.waiting import Waiting, answer
from api.cli.exit_codes import ExitCode
from api.client import ApiProblem
from api.client import AsyncClient as Client
from api.wire.bulk import BulkDiscardRequest, BulkRequeueRequest
from api.wire.requests import DiscardRequest, RequeueRequest
from api.wire.responses.dead_letters import DeadLetter, DeadLetterGroup
from api.wire.responses.pages import Page

_OF_ONE_PIPELINE = "it is for a single dead letter, or with --pipeline; name one"

Begin = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="STEP",
        show_default="the step that failed",
        help="The step, node or call to start from, or 'start'; earlier results are kept.",
    ),
]

app = typer.Typer(no_args_is_help=True)

LetterId = Annotated[
    str,
    typer.Argument(
        metavar="ID",
        show_default=False,
        help="A dead letter's id, or its first six or more characters.",
    ),
]
LetterOrMany = Annotated[
    str | None,
    typer.Argument(
        metavar="[ID]",
        show_default=False,
        help="A dead letter's id, or its first six or more characters; "
        "without one, all that match the options.",
    ),
]
Limit = Annotated[int, typer.Option(min=1, help="Maximum number of them.")]
Everything = Annotated[bool, typer.Option("--all", help="Show all of them.")]


@app.command()
def ls(
    context: typer.Context,
    *,
    fingerprint: Fingerprint = None,
    types: OfType = None,
    text: WithText = None,
    states: OfState = None,
    after: After = None,
    before: Before = None,
    task: OfTask = None,
    limit: Limit = 50,
    everything: Everything = False,
    output: Output = Format.TABLE,
) -> None:
    """List dead letters, newest first: the open ones, unless --state says otherwise."""
    query = query_of(
        fingerprint=fingerprint,
        types=types,
        text=text,
        states=states,
        after=after,
        before=before,
    )

    async def converse(client: Client) -> Page[DeadLetter]:
        if task is not None:
            query["task_id"] = await find_task_id(client, task)
        most = None if everything else limit
        page = await first_items(client.dead_letters, query, most)
        return page.model_copy(update={"items": page.items[:most]})

    found = talk(context, converse)
    print_json(found) if output is Format.JSON else print_letters(found.items)


@app.command()
def groups(
    context: typer.Context,
    *,
    types: OfType = None,
    text: WithText = None,
    states: OfState = None,
    after: After = None,
    before: Before = None,
    limit: Limit = 50,
    everything: Everything = False,
    output: Output = Format.TABLE,
) -> None:
    """Group dead letters that are alike, those first that were seen last."""
    query = query_of(types=types, text=text, states=states, after=after, before=before)

    async def converse(client: Client) -> Page[DeadLetterGroup]:
        most = None if everything else limit
        page = await first_items(client.dead_letter_groups, query, most)
        return page.model_copy(update={"items": page.items[:most]})

    found = talk(context, converse)
    print_json(found) if output is Format.JSON else print_groups(found.items)


@app.command()
def show(context: typer.Context, letter: LetterId, output: Output = Format.TABLE) -> None:
    """Show a dead letter, and what its fingerprint is made of."""

    async def converse(client: Client) -> DeadLetter:
        return await client.dead_letter(await find_letter_id(client, letter))

    found = talk(context, converse)
    print_json(found) if output is Format.JSON else print_letter(found)


@app.command()
def requeue(
    context: typer.Context,
    *,
    letter: LetterOrMany = None,
    fingerprint: Fingerprint = None,
    types: OfType = None,
    text: WithText = None,
    after: After = None,
    before: Before = None,
    every: Every = False,
    canary: Canary = None,
    rate: Rate = None,
    yes: Yes = False,
    begin: Begin = None,
    pipeline: NewPipeline = None,
    inputs: Inputs = None,
    parameters: Parameters = None,
    note: Annotated[
        str, typer.Option(metavar="TEXT", show_default=False, help="Why, for the audit log.")
    ] = "",
    plan: Foreseen = False,
    wait: Wait = False,
    timeout: Timeout = None,
    output: Output = Format.TABLE,
) -> None:
    """Run the task of a dead letter again, or those of all that match a filter."""
    given, which = parse_inputs(inputs), Which(every, fingerprint, types, text, after, before)
    check_which(letter, which, canary=canary is not None, rate=rate)
    waiting = Waiting.of(wait, timeout, output)
    # By its alias: "from" is no name in Python.
    asked = {"from": begin, "note": note}
    texts = () if pipeline else parameters or ()
    if letter is None:
        if texts:
            raise typer.BadParameter(_OF_ONE_PIPELINE, param_hint="--set")
        bounds = {"canary": canary, "rate": rate}
        many = built(BulkRequeueRequest, {**asked, **which.body, **only_given(bounds)})
        manner = Manner(plan, yes, wait, timeout, output)
        raise typer.Exit(
            requeue_many(context, with_pipeline(many, pipeline, parameters), given, manner)
        )
    request = with_pipeline(built(RequeueRequest, asked), pipeline, parameters)

    async def again(client: Client) -> ExitCode:
        letter_id = await find_letter_id(client, letter)
        values = await _values(client, letter_id, texts)
        references = await upload_inputs(client, given)
        wanted = request.model_copy(update={"inputs": references, "parameters": values})
        if plan:
            print_foresight(await client.foresee_requeue(letter_id, wanted), output)
            return ExitCode.OK
        with suppress(ApiProblem):  # The requeue says what is wrong, unless it was made before.
            say_beforehand(await client.foresee_requeue(letter_id, wanted))
        ask_about_retry(wanted, pipeline, yes=yes)
        return await answer(client, await client.requeue(letter_id, wanted), waiting)

    raise typer.Exit(talk(context, again))


async def _values(client: Client, letter_id: str, texts: Sequence[str]) -> Mapping[str, Value]:
    if not texts:
        return {}
    letter = await client.dead_letter(letter_id)
    return await values_for(client, str(letter.task_id), texts)


@app.command()
def discard(
    context: typer.Context,
    *,
    letter: LetterOrMany = None,
    fingerprint: Fingerprint = None,
    types: OfType = None,
    text: WithText = None,
    after: After = None,
    before: Before = None,
    every: Every = False,
    rate: Rate = None,
    yes: Yes = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say how many.")] = False,
    note: Annotated[str, typer.Option(metavar="TEXT", show_default=False, help="Why.")] = "",
    wait: Annotated[bool, typer.Option("--wait", help="Wait until all are discarded.")] = False,
    output: Output = Format.TABLE,
) -> None:
    """Say that nothing is to be done about a dead letter, or about all that match a filter.

    Their tasks stay as they are.
    """
    which = Which(every, fingerprint, types, text, after, before)
    check_which(letter, which, rate=rate, yes=yes, dry_run=dry_run, wait=wait)
    if letter is None:
        asked = {"note": note, "dry_run": dry_run, **which.body, **only_given({"rate": rate})}
        many = built(BulkDiscardRequest, asked)
        manner = Manner(dry_run, yes, wait, None, output)
        raise typer.Exit(talk(context, lambda client: do_many(client, many, manner)))
    request = built(DiscardRequest, {"note": note})

    async def converse(client: Client) -> DeadLetter:
        return await client.discard(await find_letter_id(client, letter), request)

    found = talk(context, converse)
    print_json(found) if output is Format.JSON else print_letter(found)

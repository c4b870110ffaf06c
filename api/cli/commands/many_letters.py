"""``agentos dlq requeue|discard`` of many dead letters: count first, then ask, then do."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from api.cli import terminal
from api.cli.commands.asking import ask
from api.cli.commands.bulk import print_run, progress_text
from api.cli.commands.foresight import print_foresight
from api.cli.commands.inputs import GivenInputs, upload_inputs
from api.cli.commands.moments import check_order
from api.cli.commands.options import Format, talk
from api.cli.commands.printing import print_json
from api.cli.exit_codes import ExitCode
from api.client import AsyncClient as Client
from api.wire.bulk import BulkDiscardRequest, BulkRequeueRequest
from api.wire.responses.bulk import BulkForesight, BulkRun
from workflows.states import BulkState, TaskType

POLL_SECONDS = 0.5

Every = Annotated[bool, typer.Option("--all", help="Every open dead letter.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask, even on a terminal.")]
Canary = Annotated[
    int | None,
    typer.Option(
        "--canary",
        min=0,
        metavar="N",
        show_default="3",
        help="Run so many again first; if all of them fail as before, stop. 0: do not wait.",
    ),
]
Rate = Annotated[
    int | None,
    typer.Option("--rate", min=1, metavar="N", show_default=False, help="How many a minute."),
]


@dataclass(frozen=True, slots=True)
class Which:
    """The filter of a command line, as far as it was given."""

    every: bool = False
    fingerprint: str | None = None
    types: Sequence[TaskType] | None = None
    text: str | None = None
    after: str | None = None
    before: str | None = None

    @property
    def is_given(self) -> bool:
        return bool(self.every or self.body.get("filter"))

    @property
    def body(self) -> dict[str, Any]:
        """Its part of a request."""
        fields: dict[str, Any] = {
            "fingerprint": self.fingerprint,
            "type": tuple(self.types) if self.types else None,
            "text": self.text,
            "created_after": self.after,
            "created_before": self.before,
        }
        given = {name: value for name, value in fields.items() if value is not None}
        return {**({"filter": given} if given else {}), "all": self.every}


@dataclass(frozen=True, slots=True)
class Manner:
    """How a command goes about it."""

    dry_run: bool = False
    yes: bool = False
    wait: bool = False
    timeout_seconds: float | None = None
    output: Format = Format.TABLE


def check_which(letter: str | None, which: Which, **others: object) -> None:
    """A command is about one dead letter or about many. Raises ``typer.BadParameter``."""
    if letter is None and not which.is_given:
        message = "name one, or say which: --fingerprint, --type, --text, --since, --until or --all"
        raise typer.BadParameter(message, param_hint="ID")
    check_order(which.after, which.before)
    given = [name for name, value in others.items() if value]
    if letter is not None and (which.is_given or given):
        raise typer.BadParameter("with an ID, it is about that one alone", param_hint="ID")


def only_given(options: Mapping[str, object]) -> dict[str, object]:
    """Without those that were left out: the API has its defaults."""
    return {name: value for name, value in options.items() if value is not None}


def requeue_many(
    context: typer.Context,
    request: BulkRequeueRequest,
    inputs: GivenInputs,
    manner: Manner,
) -> ExitCode:
    async def converse(client: Client) -> ExitCode:
        references = await upload_inputs(client, inputs)
        return await do_many(client, request.model_copy(update={"inputs": references}), manner)

    return talk(context, converse)


async def do_many(
    client: Client, request: BulkRequeueRequest | BulkDiscardRequest, manner: Manner
) -> ExitCode:
    """Show the number, ask on a terminal, and start the bulk run."""
    foreseen = await client.foresee_many(request)
    if manner.dry_run:
        _print_foreseen(foreseen, request, manner.output)
        return ExitCode.OK
    # What comes before the answer was not asked about.
    verb, start = _verb_of(client, request.model_copy(update={"as_of": foreseen.as_of}))
    if foreseen.count:
        noun = "dead letter" if foreseen.count == 1 else "dead letters"
        ask(f"{verb} {foreseen.count:,} {noun}?", yes=manner.yes)
    run = await start()
    if manner.output is Format.TABLE:
        typer.echo(str(run.id))
    elif not manner.wait:
        print_json(run)
    if not manner.wait:
        hint = f"{progress_text(run)}. Follow it with: agentos bulk show {run.id}"
        terminal.stderr().print(hint, style="dim", soft_wrap=True)
        return ExitCode.OK
    try:
        async with asyncio.timeout(manner.timeout_seconds):
            run = await _ended(client, run)
    except TimeoutError:
        hint = f"It did not end within {manner.timeout_seconds:g} s: agentos bulk show {run.id}"
        terminal.stderr().print(hint, style="dim", soft_wrap=True)
        return ExitCode.TIMED_OUT
    if manner.output is Format.JSON:
        print_run(run, Format.JSON)
    is_well = run.state is BulkState.COMPLETED and not run.counts.failed
    return ExitCode.OK if is_well else ExitCode.FAILED


def _print_foreseen(
    foreseen: BulkForesight, request: BulkRequeueRequest | BulkDiscardRequest, output: Format
) -> None:
    if output is Format.JSON or isinstance(request, BulkRequeueRequest):
        print_foresight(foreseen, output)
    else:
        typer.echo(f"{foreseen.count:,}")
    if foreseen.foreseen < foreseen.count and isinstance(request, BulkRequeueRequest):
        hint = f"All but the number is of the first {foreseen.foreseen:,} tasks."
        terminal.stderr().print(hint, style="dim")


def _verb_of(
    client: Client, request: BulkRequeueRequest | BulkDiscardRequest
) -> tuple[str, Callable[[], Awaitable[BulkRun]]]:
    if isinstance(request, BulkRequeueRequest):
        return "Requeue", lambda: client.requeue_many(request)
    return "Discard", lambda: client.discard_many(request)


async def _ended(client: Client, run: BulkRun) -> BulkRun:
    """The run once it has ended, with its progress on stderr."""
    shown = ""
    while True:
        if (text := progress_text(run)) != shown:
            terminal.stderr().print(text, style="dim", soft_wrap=True, highlight=False)
            shown = text
        if run.state is not BulkState.RUNNING:
            break
        await asyncio.sleep(POLL_SECONDS)
        run = await client.bulk_run(str(run.id))
    if run.reason:
        terminal.stderr().print(f"{run.state.value}: {run.reason}", soft_wrap=True, highlight=False)
    return run

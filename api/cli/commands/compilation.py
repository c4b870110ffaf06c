"""``agentos compile``: what an agent or a plan did, as a pipeline."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from api.cli import terminal
from api.cli.commands.comparison import Check, Sameness, compared
from api.cli.commands.options import Format, TaskId, Timeout, place_option, told_apart
from api.cli.commands.pages import whole_list
from api.cli.commands.printing import print_json
from api.cli.commands.request_body import built
from api.cli.commands.task_ids import talk_about
from api.cli.commands.waiting import wait_for_end
from api.cli.errors import PipelineFileUnwritable
from api.cli.exit_codes import ExitCode
from api.cli.terminal import safe_line
from api.client import AsyncClient as Client
from api.client.transport import Params
from api.wire.requests import CompileRequest
from api.wire.responses.compilation import Compilation
from api.wire.responses.files import Artifact
from api.wire.responses.pages import Page
from api.wire.yaml_writer import yaml_text
from workflows.definitions.task_request import TaskRequest
from workflows.states import TaskType

_STYLES = {Sameness.SAME: "green", Sameness.NEW: "yellow"}


class Checked(Compilation):
    """A compilation, and what came of running it."""

    check: Check | None = None


def compile_(
    context: typer.Context,
    *,
    task: TaskId,
    place: Annotated[
        Any,
        place_option("Write the pipeline to this file.", metavar="FILE", default="stdout"),
    ] = None,
    check: Annotated[
        bool,
        typer.Option(
            "--check", help="Run the pipeline on the same inputs, and compare the files by SHA-256."
        ),
    ] = False,
    accept: Annotated[
        list[str] | None,
        typer.Option(
            "--accept",
            metavar="POINTER",
            show_default=False,
            help="Take this text for a constant, though the agent may have read it in the data. "
            "With /result, do without the result that the agent wrote.",
        ),
    ] = None,
    timeout: Timeout = None,
    output: Annotated[
        Format, typer.Option("--output", help="The pipeline as YAML, or the whole answer as JSON.")
    ] = Format.TABLE,
) -> None:
    """Turn what an agent or a plan did into a pipeline, which needs no model.

    The successful calls become its steps, and files that they name become references. Those of a
    plan are the calls of all its nodes. Where that cannot be done, you read at which calls and why,
    and there is no pipeline.
    """
    if timeout is not None and not check:
        raise typer.BadParameter("it needs --check", param_hint="--timeout")
    file, output = told_apart(place, output)
    request = built(CompileRequest, {"accept": accept or []})

    async def converse(client: Client, task_id: str) -> ExitCode:
        compiled = await client.compile(task_id, request)
        if compiled.pipeline is not None:
            _write(compiled, file, output)
        made, code = await _checked(client, compiled, timeout) if check else (None, ExitCode.OK)
        if output is Format.JSON:
            print_json(Checked(**compiled.model_dump(), check=made))
        _tell(compiled, made)
        return ExitCode.FAILED if compiled.problems else code

    raise typer.Exit(talk_about(context, task, converse))


def _write(compiled: Compilation, file: Path | None, output: Format) -> None:
    text = yaml_text(compiled.pipeline)
    if file is None:
        if output is Format.TABLE:
            typer.echo(text, nl=False)
        return
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise PipelineFileUnwritable(path=file, reason=error.strerror or str(error)) from error


async def _checked(
    client: Client, compiled: Compilation, timeout_seconds: float | None
) -> tuple[Check | None, ExitCode]:
    """Run the pipeline on the inputs that the agent had, and wait."""
    if compiled.pipeline is None:
        return None, ExitCode.FAILED
    request = built(
        TaskRequest,
        {
            "type": TaskType.PIPELINE,
            "pipeline": compiled.pipeline,
            "inputs": compiled.inputs,
            "cache": False,  # What was taken from a cache would show nothing.
        },
    )
    task_id = str((await client.submit(request)).task_id)
    code = await wait_for_end(client, task_id, timeout_seconds=timeout_seconds)
    if code is ExitCode.TIMED_OUT:
        return None, code

    async def fetch(params: Params) -> Page[Artifact]:
        return await client.artifacts(task_id, params)

    artifacts = (await whole_list(fetch)).items
    status = (await client.task(task_id)).status
    files = list(compared(compiled.steps, artifacts))
    made = Check(task_id=task_id, status=status.value, files=files)
    if code is ExitCode.OK and not made.holds:
        code = ExitCode.FAILED
    return made, code


def _tell(compiled: Compilation, check: Check | None) -> None:
    console = terminal.stderr()
    if compiled.problems:
        console.print(Text("This run cannot be a pipeline:", style="bold red"))
    for problem in compiled.problems:
        place = (safe_line(problem.pointer or "/"), "yellow")
        console.print(Text.assemble("  ", place, "  ", safe_line(problem.message)), soft_wrap=True)
    for line in _files_of(check) if check else ():
        console.print(line, soft_wrap=True)


def _files_of(check: Check) -> Iterator[Text]:
    width = max(map(len, Sameness))
    for file in check.files:
        made = f"  {safe_line(file.name)}  ({safe_line(file.step)}, {safe_line(file.call)})"
        style = _STYLES.get(file.is_, "red")
        yield Text.assemble((f"{file.is_.value:<{width}}", style), made)
    same = sum(file.is_ is Sameness.SAME for file in check.files)
    yield Text(f"{same} of {len(check.files)} files are the same.")

"""``agentos submit``: hand in a task."""

from pathlib import Path
from typing import Annotated

import typer

from api.cli.commands import agent_options
from api.cli.commands.agent_options import make_agent, read_schema
from api.cli.commands.inputs import GivenInputs, parse_inputs, upload_inputs
from api.cli.commands.options import Format, Inputs, Output, Timeout, Wait, talk
from api.cli.commands.pipeline_file import read_pipeline
from api.cli.commands.waiting import Waiting, answer
from api.cli.exit_codes import ExitCode
from api.client import Client
from api.wire.requests import TaskRequest
from workflows.states import TaskType

app = typer.Typer(no_args_is_help=True)

PipelineFile = Annotated[
    Path,
    typer.Argument(
        metavar="FILE",
        show_default=False,
        help="The pipeline in YAML or JSON; - reads it from stdin.",
    ),
]
Prompt = Annotated[str, typer.Argument(metavar="TEXT", show_default=False, help="What to do.")]
Key = Annotated[
    str | None,
    typer.Option(
        "--idempotency-key",
        metavar="KEY",
        show_default=False,
        help="The same key gives the same task, however often it is submitted.",
    ),
]
Priority = Annotated[int, typer.Option(min=1, max=10, help="10 is the most urgent.")]


@app.command()
def pipeline(
    context: typer.Context,
    *,
    file: PipelineFile,
    inputs: Inputs = None,
    wait: Wait = False,
    timeout: Timeout = None,
    idempotency_key: Key = None,
    priority: Priority = 5,
    output: Output = Format.TABLE,
) -> None:
    """Run a fixed list of steps, one after the other."""
    given = parse_inputs(inputs)
    definition = read_pipeline(file, given)
    request = TaskRequest(type=TaskType.PIPELINE, pipeline=definition, priority=priority)
    _submit(context, request, given, idempotency_key, Waiting.of(wait, timeout, output))


@app.command()
def agent(
    context: typer.Context,
    *,
    text: Prompt,
    inputs: Inputs = None,
    skills: agent_options.Skills = None,
    tools: agent_options.Tools = None,
    model: agent_options.Model = None,
    schema: agent_options.Schema = None,
    turns: agent_options.Turns = None,
    tokens: agent_options.Tokens = None,
    cost: agent_options.Cost = None,
    seconds: agent_options.Seconds = None,
    name: agent_options.Name = None,
    role: agent_options.Role = None,
    goal: agent_options.Goal = None,
    tone: agent_options.Tone = None,
    wait: Wait = False,
    timeout: Timeout = None,
    idempotency_key: Key = None,
    priority: Priority = 5,
    output: Output = Format.TABLE,
) -> None:
    """Let an agent work with tools until it is done."""
    given = parse_inputs(inputs)
    definition = make_agent(
        profile={"name": name, "role": role, "goal": goal, "tone": tone},
        limits={"turns": turns, "tokens": tokens, "cost_usd": cost, "seconds": seconds},
        skills=skills,
        tools=tools,
        model=model,
        output_schema=schema and read_schema(schema),
    )
    request = TaskRequest(type=TaskType.AGENT, prompt=text, agent=definition, priority=priority)
    _submit(context, request, given, idempotency_key, Waiting.of(wait, timeout, output))


def _add_prompt_command(kind: TaskType, does: str) -> None:
    @app.command(kind.value, help=does)
    def submit_prompt(
        context: typer.Context,
        *,
        text: Prompt,
        inputs: Inputs = None,
        wait: Wait = False,
        timeout: Timeout = None,
        idempotency_key: Key = None,
        priority: Priority = 5,
        output: Output = Format.TABLE,
    ) -> None:
        request = TaskRequest(type=kind, prompt=text, priority=priority)
        waiting = Waiting.of(wait, timeout, output)
        _submit(context, request, parse_inputs(inputs), idempotency_key, waiting)


_add_prompt_command(TaskType.PLAN, "Split a task into parts that agents work on side by side.")
_add_prompt_command(TaskType.AUTO, "Let a router choose how to do it.")


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

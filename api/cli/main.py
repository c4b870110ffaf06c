"""The command ``agentos``, as far as it talks to the API; ``deploy`` adds what runs the parts."""

import io
import sys
from collections.abc import Sequence
from typing import Annotated, NoReturn

import typer
from rich.text import Text

from api.cli import exit_codes, terminal
from api.cli.commands import (
    approvals,
    artifacts,
    files,
    logs,
    messages,
    skills,
    submit,
    tasks,
    tools,
    usage,
)
from api.cli.commands.options import Connection
from api.cli.errors import AgentInvalid, PipelineInvalid
from api.cli.exit_codes import ExitCode
from api.cli.terminal import safe_line
from api.client import DEFAULT_URL, ApiProblem
from workflows.errors import AgentOSError

app = typer.Typer(
    name="agentos",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,  # They hold keys, and the contents of files.
    context_settings={"help_option_names": ["-h", "--help"]},
)

_WHERE_KEYS_GO = "Set the key in AGENTOS_API_KEY."
_TASKS = "Tasks"
_FILES_AND_SKILLS = "Files, tools and skills"
_WITH_PROBLEMS = (ApiProblem, AgentInvalid, PipelineInvalid)
_REFUSED = "The request is not valid. Nothing was started."


@app.callback()
def agentos(
    context: typer.Context,
    api_url: Annotated[
        str, typer.Option(envvar="AGENTOS_API_URL", metavar="URL", help="Address of the API.")
    ] = DEFAULT_URL,
    api_key: Annotated[
        str | None,
        typer.Option(
            envvar="AGENTOS_API_KEY",
            metavar="KEY",
            show_default=False,
            help="Your team's API key. Other users cannot see it if set in the environment.",
        ),
    ] = None,
) -> None:
    """A durable task system: submit work for scripts and agents, and watch it finish."""
    context.obj = Connection(api_url, api_key or None)


for command in (
    tasks.ls,
    tasks.show,
    tasks.watch,
    logs.logs,
    tasks.trace,
    tasks.cancel,
    tasks.pause,
    tasks.resume,
    tasks.retry,
    approvals.approvals,
    approvals.approve,
    approvals.deny,
    messages.messages,
    usage.usage,
):
    app.command(rich_help_panel=_TASKS)(command)
for group, name, does, panel in (
    (submit.app, "submit", "Submit a task.", _TASKS),
    (artifacts.app, "artifacts", "Files that tasks made.", _FILES_AND_SKILLS),
    (files.app, "files", "Files that you upload as inputs.", _FILES_AND_SKILLS),
    (tools.app, "tools", "Tools that steps and agents can call.", _FILES_AND_SKILLS),
    (skills.app, "skills", "Skills that steps and agents can run.", _FILES_AND_SKILLS),
):
    app.add_typer(group, name=name, help=does, rich_help_panel=panel)


def run(application: typer.Typer = app, arguments: Sequence[str] | None = None) -> NoReturn:
    """Run a command line and exit. An ``AgentOSError`` is printed, and decides the exit code."""
    # A name that the terminal's encoding lacks must not end the program.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        application(arguments)
    except AgentOSError as error:
        tell(error)
        code = exit_codes.of_error(error)
        if code is ExitCode.NOT_AUTHORISED:
            terminal.stderr().print(_WHERE_KEYS_GO, style="dim", soft_wrap=True)
        sys.exit(code)
    sys.exit(ExitCode.OK)


def tell(error: AgentOSError) -> None:
    """Print an error on stderr, with every problem of a request."""
    problems = error.problems if isinstance(error, _WITH_PROBLEMS) else ()
    console = terminal.stderr()
    summary = _REFUSED if isinstance(error, ApiProblem) and problems else str(error)
    console.print(Text.assemble(("Error: ", "bold red"), safe_line(summary)), soft_wrap=True)
    for problem in problems:
        place = (safe_line(problem.pointer or "/"), "yellow")
        console.print(Text.assemble("  ", place, "  ", safe_line(problem.message)), soft_wrap=True)

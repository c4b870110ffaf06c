"""The command ``agentos``, as far as it talks to the API; ``deploy`` adds what runs the parts."""

import io
import sys
from collections.abc import Sequence
from typing import Annotated, NoReturn

import typer

from api.addresses import DEFAULT_URL
from api.cli.command_table import add_command
from api.cli.connection import Connection, FindStack, no_stack
from api.cli.usage_errors import Commands
from workflows.errors import AgentOSError

app = typer.Typer(
    name="agentos",
    cls=Commands,
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,  # They hold keys, and the contents of files.
    context_settings={"help_option_names": ["-h", "--help"]},
)

_TASKS = "Tasks"
_FILES_AND_SKILLS = "Files, tools and skills"


def _print_version(is_wanted: bool) -> None:
    if is_wanted:
        from importlib.metadata import version

        typer.echo(f"agentos {version('agentos')}")
        raise typer.Exit


@app.callback()
def agentos(
    context: typer.Context,
    api_url: Annotated[
        str | None,
        typer.Option(
            envvar="AGENTOS_API_URL",
            metavar="URL",
            show_default=False,
            help="Where the API is; by default that of what `agentos up` runs in this folder, or "
            f"{DEFAULT_URL} where none has been.",
        ),
    ] = None,
    api_key: Annotated[
        str | None,
        typer.Option(
            envvar="AGENTOS_API_KEY",
            metavar="KEY",
            show_default=False,
            help="A key of your team. In the environment it is not seen by other users.",
        ),
    ] = None,
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            is_eager=True,
            callback=_print_version,
            help="Print the version, and do nothing else.",
        ),
    ] = False,
) -> None:
    """A durable task system: hand in work for scripts and agents, and see it finish."""
    context.obj = Connection(api_url, api_key or None, context.obj or no_stack)


for name, place, summary in (
    ("ls", "looking:ls", "List tasks, newest first."),
    ("show", "looking:show", "Show a task with its steps and files."),
    (
        "watch",
        "tasks:watch",
        "Follow a task until it ends. With -o json, print its events, one per line.",
    ),
    ("logs", "logs:logs", "Print what the steps of a task printed."),
    ("plan", "plans:plan", "Show how a task was split, or write its nodes to a file."),
    ("trace", "tasks:trace", "Show where a task spent its time."),
    ("cancel", "tasks:cancel", "Cancel a task. Results of finished steps are kept."),
    ("pause", "tasks:pause", "Pause a task before its next step or turn."),
    ("resume", "tasks:resume", "Resume a paused task."),
    ("retry", "retry:retry", "Retry a task that has ended."),
    (
        "diff",
        "diff:diff",
        "Show in what two tasks differ: definition, inputs, result, times and files.",
    ),
    (
        "export",
        "exports:export",
        "Write all that is known of a task to a zip: definition, inputs, logs, messages and files.",
    ),
    (
        "open",
        "browsing:open_",
        "Open the web page of a task, agent or group; without one, that of all tasks.",
    ),
    (
        "rerun",
        "rerun:rerun",
        "Submit a new task like another one, with other inputs where they are given.",
    ),
    ("rm", "removal:rm", "Delete tasks that have ended, with all that is theirs."),
    ("dlq", "dlq:app", "Dead letters: what ended badly, and what to do about it."),
    (
        "compile",
        "compilation:compile_",
        "Turn what an agent or a plan did into a pipeline, which needs no model.",
    ),
    (
        "approvals",
        "approvals:approvals",
        "Show the calls waiting for your approval or answer, with all their arguments.",
    ),
    ("approve", "approvals:approve", "Approve a call of an agent, or answer its question."),
    ("deny", "approvals:deny", "Deny a call of an agent, or decline to answer its question."),
    ("result", "results:result", "Print what a task gave, and nothing else."),
    (
        "tell",
        "telling:tell",
        "Tell an agent something while it is at work. It reads it before its next turn.",
    ),
    (
        "messages",
        "messages:messages",
        "Print an agent's conversation with its model and tools.",
    ),
    (
        "usage",
        "usage:usage",
        "Show the agents' tokens and cost by day, and what is left of today's quota.",
    ),
    (
        "housekeeping",
        "housekeeping:housekeeping",
        "Show how long things are kept, and what housekeeping has removed.",
    ),
    (
        "limits",
        "limits:limits",
        "Show what may run at once, what runs, and what waits for its turn.",
    ),
    ("bulk", "bulk:app", "Bulk runs over dead letters or tasks."),
    ("audit", "audit:audit", "Show who did what, when, and why, newest first."),
    ("submit", "submit:app", "Submit a task."),
    ("pipelines", "pipelines:app", "Pipelines in files."),
    ("init", "init:app", "Make a skill or a pipeline that works, to begin with."),
    ("webhooks", "webhooks:app", "URLs that are told of tasks, and what they were sent."),
    ("schedules", "schedules:app", "Tasks that are run again and again."),
    ("agents", "agents:app", "Agents that stay: write to them, and read what they reply."),
    ("groups", "groups:app", "Groups in which agents that stay talk with each other and you."),
):
    add_command(app, name, f"api.cli.commands.{place}", summary, _TASKS)
for name, place, summary in (
    ("artifacts", "artifacts:app", "Files that tasks made."),
    ("files", "files:app", "Files that you upload as inputs."),
    ("tools", "tools:app", "Tools that steps and agents can call."),
    ("breakers", "breakers:app", "Circuit breakers of tools, MCP servers and models."),
    ("skills", "skills:app", "Skills that steps and agents can run."),
    ("cache", "cache:app", "Results that equal steps are given instead of being run."),
):
    add_command(app, name, f"api.cli.commands.{place}", summary, _FILES_AND_SKILLS)


def run(
    application: typer.Typer = app,
    arguments: Sequence[str] | None = None,
    find_stack: FindStack = no_stack,
) -> NoReturn:
    """Run a command line and exit; an error of ours is told in plain words, with its exit code.

    ``find_stack`` is asked for a stack on this machine where no API is named.
    """
    # A name that the terminal's encoding lacks must not end the program.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        application(arguments, obj=find_stack)
    except AgentOSError as error:
        from api.cli.failures import tell

        sys.exit(tell(error))
    sys.exit(0)

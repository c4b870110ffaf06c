"""The command ``agentos``, as far as it talks to the API; ``deploy`` adds what runs the parts."""

import io
import sys
from collections.abc import Sequence
from typing import Annotated, NoReturn

import typer

from api.addresses import DEFAULT_URL
from api.cli.command_table import add_command
from api.cli.connection import Connection
from workflows.errors import AgentOSError

app = typer.Typer(
    name="agentos",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,  # They hold keys, and the contents of files.
    context_settings={"help_option_names": ["-h", "--help"]},
)

_TASKS = "Tasks"
_FILES_AND_SKILLS = "Files, tools and skills"


@app.callback()
def agentos(
    context: typer.Context,
    api_url: Annotated[
        str, typer.Option(envvar="AGENTOS_API_URL", metavar="URL", help="Where the API is.")
    ] = DEFAULT_URL,
    api_key: Annotated[
        str | None,
        typer.Option(
            envvar="AGENTOS_API_KEY",
            metavar="KEY",
            show_default=False,
            help="A key of your team. In the environment it is not seen by other users.",
        ),
    ] = None,
) -> None:
    """A durable task system: hand in work for scripts and agents, and see it finish."""
    context.obj = Connection(api_url, api_key or None)


for name, place, summary in (
    ("ls", "tasks:ls", "List tasks, the newest first."),
    ("show", "tasks:show", "Show a task with its steps and files."),
    (
        "watch",
        "tasks:watch",
        "Show a task's progress until it ends. With -o json, print its events, one a line.",
    ),
    ("logs", "logs:logs", "Print what the steps of a task printed."),
    ("trace", "tasks:trace", "Show where the time of a task went."),
    ("cancel", "tasks:cancel", "Stop a task. What its finished steps made is kept."),
    ("pause", "tasks:pause", "Hold a task before its next step or turn."),
    ("resume", "tasks:resume", "Let a paused task go on."),
    ("retry", "tasks:retry", "Run a task that has ended again."),
    (
        "approvals",
        "approvals:approvals",
        "Show the calls that wait for your word, with all their arguments.",
    ),
    ("approve", "approvals:approve", "Let an agent make a call, or answer its question."),
    ("deny", "approvals:deny", "Refuse an agent a call, or an answer."),
    (
        "messages",
        "messages:messages",
        "Print the conversation of an agent with its model and its tools.",
    ),
    (
        "usage",
        "usage:usage",
        "Show what agents used of models by day, and what is left of today's quota.",
    ),
    ("submit", "submit:app", "Hand in a task."),
):
    add_command(app, name, f"api.cli.commands.{place}", summary, _TASKS)
for name, place, summary in (
    ("artifacts", "artifacts:app", "The files that tasks made."),
    ("files", "files:app", "The files that you hand in."),
    ("tools", "tools:app", "What steps and agents can call."),
    ("skills", "skills:app", "What steps and agents can run."),
):
    add_command(app, name, f"api.cli.commands.{place}", summary, _FILES_AND_SKILLS)


def run(application: typer.Typer = app, arguments: Sequence[str] | None = None) -> NoReturn:
    """Run a command line and exit; an error of ours is told in plain words, with its exit code."""
    # A name that the terminal's encoding lacks must not end the program.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        application(arguments)
    except AgentOSError as error:
        from api.cli.failures import tell

        sys.exit(tell(error))
    sys.exit(0)

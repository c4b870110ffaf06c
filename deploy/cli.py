"""The command ``agentos``: the commands of the client, and those that run the parts."""

from api import garbage_collector
from api.cli.command_table import add_command
from api.cli.full_disks import watch_stdout
from api.cli.main import app, run
from deploy.process_end import ProcessEnd
from deploy.stack_here import stack_here

for name, place, summary in (
    (
        "up",
        "commands:up",
        "Start everything on this machine and keep it running until Ctrl-C.",
    ),
    (
        "down",
        "down:down",
        "Stop what `agentos up` runs, also from another terminal or after it was killed, and wait.",
    ),
    (
        "status",
        "status:status",
        "Show what runs where, whether it is well, and how much is under way.",
    ),
    (
        "demo",
        "commands:demo",
        "Run a pipeline, an agent and a plan on real data, on a temporary stack of their own.",
    ),
    (
        "doctor",
        "doctor.command:doctor",
        "Check this machine and the services; report what is wrong and how to fix it.",
    ),
    (
        "backup",
        "backup.commands:backup",
        "Write the whole state of `agentos up` into one file, while it runs or when it is stopped.",
    ),
    (
        "restore",
        "backup.commands:restore",
        "Make a data folder from a backup; `agentos up` on it goes on with everything.",
    ),
    ("api", "commands:api", "Run the API against the services that the environment names."),
    (
        "worker",
        "commands:worker",
        "Run one worker against the services that the environment names.",
    ),
    (
        "model",
        "commands:model",
        "Serve the offline model on its own: keyword rules, not a language model.",
    ),
    (
        "migrate",
        "commands:migrate",
        "Bring the database up to date, and let Temporal list tasks by name. Safe to repeat.",
    ),
    ("openapi", "openapi:openapi", "Print the OpenAPI document of the API, which need not run."),
    ("keys", "keys.commands:app", "API keys of teams. Uses the database directly, not the API."),
    (
        "retention",
        "retention.commands:app",
        "How long a team's things are kept. Uses the database directly, not the API.",
    ),
    (
        "secrets",
        "secrets.commands:app",
        "Secrets of MCP servers. Uses the database directly, not the API.",
    ),
):
    add_command(app, name, f"deploy.{place}", summary, "Run")
# In place of the client's own group: with `validate`, which needs what a worker needs.
add_command(
    app,
    "skills",
    "deploy.skill_validation:app",
    "Skills that steps and agents can run.",
    "Files, tools and skills",
)


def main() -> None:
    garbage_collector.pause()  # It goes on when a command has been loaded.
    end = ProcessEnd()
    watch_stdout()
    try:
        run(app, find_stack=stack_here)
    except SystemExit as ended:
        end.note(ended)
        raise


if __name__ == "__main__":
    main()

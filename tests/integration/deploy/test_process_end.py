"""The end of commands that have talked to Temporal, whose threads may be late."""

import asyncio
import os
import sys

from deploy.local.services import Services
from tests.folders import PROJECT

# Each answer is one more chance for a thread of the SDK to be late.
COMMAND = """
import asyncio, sys, typer
from deploy.cli import app, main

@app.command()
def ask() -> None:
    from temporalio.client import Client

    async def ask_often():
        client = await Client.connect(sys.argv[2])
        await asyncio.gather(*(client.count_workflows("WorkflowId = 'x'") for _ in range(40)))

    asyncio.run(ask_often())
    print("asked")
    raise typer.Exit(3)

sys.argv[1:1] = ["ask"]
app.registered_commands[-1].context_settings = {"allow_extra_args": True}
main()
"""
RUNS = 6


async def test_a_command_that_has_asked_temporal_ends_with_its_own_exit_code(
    infrastructure: Services,
) -> None:
    words = (sys.executable, "-P", "-c", COMMAND, infrastructure.temporal_address)
    for _ in range(RUNS):
        process = await asyncio.create_subprocess_exec(
            *words,
            cwd=PROJECT,
            env={**os.environ, "PYTHONPATH": str(PROJECT)},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        said, errors = await process.communicate()
        assert (process.returncode, said, errors) == (3, b"asked\n", b"")

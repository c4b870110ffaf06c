"""The baseline of pipelines: the same three steps as a worker of plain Temporal runs them.

A workflow of three activities on the same server, each of which runs the line of ``PlainSandbox``.
A process of its own, as AgentOS's worker is, which imports nothing of AgentOS and keeps to the
defaults of Temporal's SDK, except that it runs as many activities at once as AgentOS's worker.
"""

import argparse
import asyncio
import json
from datetime import timedelta
from pathlib import Path

from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.worker import Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from tests.benchmarks.plain_sandbox import MOST_AT_ONCE, STEPS, PlainSandbox

TASK_QUEUE = "plain"
_TIMEOUT = timedelta(minutes=5)


@workflow.defn
class PlainSteps:
    @workflow.run
    async def run(self) -> list[str]:
        """The files that its steps have written."""
        return [
            await workflow.execute_activity(
                "write", result_type=str, start_to_close_timeout=_TIMEOUT
            )
            for _ in range(STEPS)
        ]


class PlainScripts:
    def __init__(self, sandbox: PlainSandbox) -> None:
        self._sandbox = sandbox

    @activity.defn
    async def write(self) -> str:
        return str(await self._sandbox.write())


def plain_worker(client: Client, sandbox: PlainSandbox, task_queue: str = TASK_QUEUE) -> Worker:
    return Worker(
        client,
        task_queue=task_queue,
        workflows=[PlainSteps],
        activities=[PlainScripts(sandbox).write],
        max_concurrent_activities=MOST_AT_ONCE,
        workflow_runner=SandboxedWorkflowRunner(
            # What is not passed through is loaded anew for each run, at the baseline's expense.
            restrictions=SandboxRestrictions.default.with_passthrough_modules("tests")
        ),
        build_id="plain",
    )


async def serve(address: str, sandbox: PlainSandbox) -> None:
    await plain_worker(await Client.connect(address), sandbox).run()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("address")
    parser.add_argument("folder", type=Path)
    parser.add_argument("line", type=json.loads)
    arguments = parser.parse_args()
    asyncio.run(serve(arguments.address, PlainSandbox(arguments.line, arguments.folder)))

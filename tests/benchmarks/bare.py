"""The baselines of all but pipelines: the same work with nothing of AgentOS but its sandbox.

A bare workflow of three activities on the same server, which do nothing or run the same script in
our own sandbox, whose cost is then on both sides. ``plain`` is the baseline that has none of ours.
Run as a process of its own, like the worker it is compared with.
"""

import argparse
import asyncio
import tempfile
from datetime import timedelta
from pathlib import Path

from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.worker import Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from activities.sandbox.base import Job, Sandbox
from activities.sandbox.bubblewrap import Bubblewrap
from activities.sandbox.interpreter import sandbox_python
from api import garbage_collector
from tests.benchmarks.bare_plans import BareNode, BarePlan
from tests.benchmarks.bare_signals import BareAnswers, BareListener, BareMember, note_time
from tests.benchmarks.bare_turns import BareModel, BareTurns
from tests.benchmarks.plain_sandbox import STEPS

NOOP = Path(__file__).parent / "skills" / "noop"
TASK_QUEUE = "bare"
ANSWERS = "answers"  # The folder of what bare members of a group send their model.
LONGEST_RUN = timedelta(seconds=60)  # A bare worker that is gone ends the benchmark, not the day.


@workflow.defn
class BareWorkflow:
    @workflow.run
    async def run(self, activity_name: str) -> None:
        for _ in range(STEPS):
            await workflow.execute_activity(
                activity_name, start_to_close_timeout=timedelta(minutes=5)
            )


@activity.defn
async def nothing() -> None:
    """The least that an activity can do."""


class BareScripts:
    """Runs the no-op script in the sandbox, and nothing else."""

    def __init__(self, work_folder: Path) -> None:
        self._work_folder = work_folder
        self._sandbox: Sandbox = Bubblewrap(work_folder, python=sandbox_python(), max_running=8)
        self._command = (str(sandbox_python()), "-B", "-u", "/skills/noop/scripts/noop.py")

    @activity.defn
    async def script(self) -> None:
        with tempfile.TemporaryDirectory(dir=self._work_folder) as output:
            Path(output).chmod(0o755)
            skills = {"noop": self._work_folder / "noop"}
            job = Job(command=self._command, output=Path(output), skills=skills)
            ended = await self._sandbox.run(job, lambda stream, data: None)
        assert ended.ok, ended


async def serve(address: str, work_folder: Path) -> None:
    client = await Client.connect(address)
    scripts = BareScripts(work_folder)
    throttle = timedelta(milliseconds=200)
    worker = Worker(
        client,
        task_queue=TASK_QUEUE,
        workflows=[BareWorkflow, BareTurns, BarePlan, BareNode, BareListener, BareMember],
        activities=[
            nothing,
            note_time,
            scripts.script,
            BareModel(work_folder).ask,
            BareAnswers(work_folder / ANSWERS).answer,
        ],
        max_concurrent_activities=8,
        max_heartbeat_throttle_interval=throttle,
        default_heartbeat_throttle_interval=throttle,
        workflow_runner=SandboxedWorkflowRunner(
            # What is not passed through is loaded anew for each run, at the baseline's expense.
            restrictions=SandboxRestrictions.default.with_passthrough_modules(
                "tests", "activities", "deploy"
            )
        ),
        build_id="bare",
    )
    garbage_collector.resume()  # As the worker does that this one is compared with.
    await worker.run()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("address")
    parser.add_argument("work_folder", type=Path)
    arguments = parser.parse_args()
    asyncio.run(serve(arguments.address, arguments.work_folder))

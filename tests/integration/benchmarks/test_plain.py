"""The baseline of pipelines does what it is compared for."""

from pathlib import Path
from uuid import uuid4

from temporalio.client import Client

from deploy.local.services import Services
from tests.benchmarks.plain import PlainSteps, plain_worker
from tests.benchmarks.plain_sandbox import STEPS, PlainSandbox
from tests.benchmarks.stage import plain_sandbox_line


async def test_a_plain_worker_runs_three_steps_each_of_which_writes_its_file(
    infrastructure: Services, tmp_path: Path
) -> None:
    client = await Client.connect(infrastructure.temporal_address)
    queue = f"plain-{uuid4()}"
    async with plain_worker(client, PlainSandbox(plain_sandbox_line(), tmp_path), queue):
        files = await client.execute_workflow(PlainSteps.run, id=queue, task_queue=queue)
    assert len(set(files)) == STEPS
    assert [Path(file).read_text() for file in files] == ["x"] * STEPS


async def test_a_plain_sandbox_sees_nothing_of_the_machine_but_what_runs_python(
    tmp_path: Path,
) -> None:
    source = "import os; open('out.txt', 'w').write(' '.join(sorted(os.listdir('/'))))"
    line = [*plain_sandbox_line()[:-1], source]
    written = await PlainSandbox(line, tmp_path).write()
    assert not {"home", "root", "tmp", "work"} & set(written.read_text().split())

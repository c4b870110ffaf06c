"""DBOS in its own process: a workflow of three steps, kept in SQLite."""

import asyncio

from dbos import DBOS

from tests.benchmarks.peers.serving import serve, told
from tests.benchmarks.plain_sandbox import STEPS


async def main() -> None:
    sandbox, folder = told()
    url = f"sqlite:///{folder / 'dbos.sqlite'}"
    DBOS(config={"name": "peer", "system_database_url": url, "run_admin_server": False})

    @DBOS.step()
    async def write() -> str:
        return str(await sandbox.write())

    @DBOS.workflow()
    async def steps() -> None:
        for _ in range(STEPS):
            await write()

    async def pipeline() -> None:
        await (await DBOS.start_workflow_async(steps)).get_result()

    DBOS.launch()
    try:
        await serve(pipeline)
    finally:
        DBOS.destroy()


asyncio.run(main())

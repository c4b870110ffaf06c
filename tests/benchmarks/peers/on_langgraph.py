"""LangGraph as a library: three nodes in a row, with checkpoints in SQLite."""

import asyncio
from typing import TypedDict
from uuid import uuid4

from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.graph import END, START, StateGraph

from tests.benchmarks.peers.serving import serve, told
from tests.benchmarks.plain_sandbox import STEPS


class State(TypedDict):
    file: str


async def main() -> None:
    sandbox, folder = told()

    async def write(state: State) -> State:
        return {"file": str(await sandbox.write())}

    graph = StateGraph(State)
    names = [f"s{number}" for number in range(STEPS)]
    for name in names:
        graph.add_node(name, write)
    for before, after in zip([START, *names], [*names, END], strict=True):
        graph.add_edge(before, after)
    async with AsyncSqliteSaver.from_conn_string(str(folder / "checkpoints.sqlite")) as saver:
        compiled = graph.compile(checkpointer=saver)

        async def pipeline() -> None:
            await compiled.ainvoke({"file": ""}, {"configurable": {"thread_id": str(uuid4())}})

        await serve(pipeline)


asyncio.run(main())

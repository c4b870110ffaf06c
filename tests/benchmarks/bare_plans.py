"""The baseline of plans: child workflows side by side, with the same activities."""

import asyncio
from datetime import timedelta

from temporalio import workflow

_TIMEOUT = timedelta(minutes=5)


@workflow.defn
class BareNode:
    """A child that runs the script."""

    @workflow.run
    async def run(self) -> None:
        await workflow.execute_activity("script", start_to_close_timeout=_TIMEOUT)


@workflow.defn
class BarePlan:
    """Asks the model, runs so many children at once, does nothing where a plan reports, and asks
    the model again: as a plan does that ends with what its nodes have made."""

    @workflow.run
    async def run(self, nodes: int) -> None:
        await workflow.execute_activity("ask", 1, start_to_close_timeout=_TIMEOUT)
        parent = workflow.info().workflow_id
        children = (
            workflow.execute_child_workflow(BareNode.run, id=f"{parent}-{number}")
            for number in range(nodes)
        )
        await asyncio.gather(*children)
        await workflow.execute_activity("nothing", start_to_close_timeout=_TIMEOUT)
        await workflow.execute_activity("ask", 2, start_to_close_timeout=_TIMEOUT)

"""What a worker takes for being asked for work."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import cast

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import PollerInfo
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest, DescribeTaskQueueResponse
from temporalio.client import Client

from worker.readiness import NotUsable, polling

WORKFLOWS = TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW
ACTIVITIES = TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY


@dataclass
class Queue:
    """Temporal, of which a worker of this identity has asked for work so many seconds ago."""

    asked_ago: Mapping[TaskQueueType.ValueType, float]
    identity: str = "worker-1"
    namespace: str = "default"
    workflow_service: "Queue" = field(init=False)

    def __post_init__(self) -> None:
        self.workflow_service = self

    async def describe_task_queue(
        self,
        request: DescribeTaskQueueRequest,
        *,
        timeout: timedelta,  # noqa: ASYNC109  (as Temporal's own)
    ) -> DescribeTaskQueueResponse:
        asked = Timestamp()
        ago = self.asked_ago.get(request.task_queue_type)
        if ago is None:
            return DescribeTaskQueueResponse()
        asked.FromDatetime(datetime.now(UTC) - timedelta(seconds=ago))
        poller = PollerInfo(identity=self.identity, last_access_time=asked)
        return DescribeTaskQueueResponse(pollers=[poller])


async def check(asked_ago: Mapping[TaskQueueType.ValueType, float]) -> None:
    await polling(cast(Client, Queue(asked_ago)), "agentos")()


async def test_a_worker_all_of_whose_places_are_taken_asks_for_work_still() -> None:
    """It does not ask for activities until one of them has ended, which may take hours."""
    await check({WORKFLOWS: 50, ACTIVITIES: 3_600})
    await check({WORKFLOWS: 50})


@pytest.mark.parametrize("asked_ago", [{}, {WORKFLOWS: 75.0}, {ACTIVITIES: 1.0}])
async def test_a_worker_that_has_not_asked_lately_is_not_usable(
    asked_ago: Mapping[TaskQueueType.ValueType, float],
) -> None:
    with pytest.raises(NotUsable, match="not asked for work lately"):
        await check(asked_ago)

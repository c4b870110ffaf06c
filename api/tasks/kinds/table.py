"""The types of tasks that the API offers."""

from collections.abc import Mapping
from typing import Any

from api.tasks.kinds.agent import AgentKind
from api.tasks.kinds.base import Kind, wrong
from api.tasks.kinds.pipeline import PipelineKind
from api.wire.requests import AUTO, TaskRequest
from workflows.states import TaskType

KINDS: Mapping[TaskType, Kind[Any]] = {
    TaskType.PIPELINE: PipelineKind(),
    TaskType.AGENT: AgentKind(),
}


def type_of(request: TaskRequest) -> TaskType:
    """The type of the task that a request asks for. Raises ``InvalidRequest``."""
    if request.type != AUTO:
        return request.type
    if request.pipeline is not None:
        return TaskType.PIPELINE
    raise wrong(
        "/type",
        f"tasks of type {AUTO} are not offered by this server yet; send an agent or a pipeline",
    )

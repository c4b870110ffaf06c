"""Which model the definition of a task is one of, by the task's type."""

from collections.abc import Mapping

from workflows.definitions.agent import Agent
from workflows.definitions.pipeline import Pipeline
from workflows.errors import DatabaseNewer
from workflows.states import TaskType

Definition = Pipeline | Agent

DEFINITIONS: Mapping[TaskType, type[Definition]] = {
    TaskType.PIPELINE: Pipeline,
    TaskType.AGENT: Agent,
}


def parse_definition(kind: TaskType, document: object) -> Definition:
    """A definition that was accepted before, from its JSON.

    Raises:
        DatabaseNewer: this version has no model for the type.
    """
    model = DEFINITIONS.get(kind)
    if model is None:
        raise DatabaseNewer(kind=TaskType.__name__, value=kind.value)
    return model.model_validate(document)

"""The search attributes of our workflows, by which Temporal lists them: name, team, type, state.

Whoever starts a workflow gives it all of them, or, where its namespace does not know them, none.
A workflow that was given none sets none: that would fail its task over and over.
"""

from dataclasses import dataclass

from temporalio import workflow
from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes

from workflows import label_names
from workflows.generation import generation_of
from workflows.states import Status, TaskType

NAME, TEAM, TYPE, STATE = KEYS = tuple(map(SearchAttributeKey.for_keyword, label_names.ALL))

# What is no task: the runs of schedules, and agents that stay.
SCHEDULE = "schedule"
CONVERSATION = "conversation"
# States that only Temporal is told, since no row has them: work waits for a place or a breaker, and
# an agent that stays sleeps.
HELD = "held"
IDLE = "idle"

# Shorter than what a Keyword may be in any store of Temporal's (255).
_CHARACTERS = 100
# Workers before it set no states.
_SHOWS_STATES = 2


@dataclass(frozen=True, slots=True)
class Labels:
    """What a workflow is given when it starts. Search attributes cannot be encrypted: without a
    ``name`` they have no words of a user's."""

    team: str
    type: str
    name: str | None = None

    @property
    def attributes(self) -> TypedSearchAttributes:
        pairs = [
            SearchAttributePair(TEAM, cut(self.team)),
            SearchAttributePair(TYPE, self.type),
            SearchAttributePair(STATE, str(Status.RUNNING)),
        ]
        if self.name:
            pairs.append(SearchAttributePair(NAME, cut(self.name)))
        return TypedSearchAttributes(pairs)


class StateLabel:
    """The state of a workflow in Temporal's lists: one event for each change, and no round trip."""

    def __init__(self) -> None:
        self._shown = workflow.info().typed_search_attributes.get(STATE)

    def show(self, state: str) -> None:
        """Temporal is told with whatever else the workflow decides now."""
        if self._shown is None or self._shown == state or generation_of() < _SHOWS_STATES:
            return
        self._shown = state
        workflow.upsert_search_attributes([STATE.value_set(state)])


def labels_of_child(workflow_name: str, title: str) -> TypedSearchAttributes | None:
    """Those of a workflow that this one starts, as open with names as its own; None where it has
    none itself."""
    own = workflow.info().typed_search_attributes
    team = own.get(TEAM)
    if team is None:
        return None
    name = title if own.get(NAME) is not None else None
    return Labels(team, type_of(workflow_name), name).attributes


def labels_as(workflow_name: str) -> TypedSearchAttributes | None:
    """Those of this workflow when it continues as another; None: it has none."""
    own = workflow.info().typed_search_attributes
    if own.get(TEAM) is None:
        return None
    kept = [pair for pair in own if pair.key in (NAME, TEAM, STATE)]
    return TypedSearchAttributes([*kept, SearchAttributePair(TYPE, type_of(workflow_name))])


def type_of(workflow_name: str) -> str:
    """The type of the tasks that a workflow runs."""
    if workflow_name == "RouterWorkflow":
        return TaskType.AUTO
    return workflow_name.removesuffix("Workflow").lower()


def cut(text: str) -> str:
    """A line that every store of Temporal's can take."""
    words = " ".join(text.split())
    return words if len(words) <= _CHARACTERS else f"{words[: _CHARACTERS - 1]}…"

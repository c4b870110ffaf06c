"""The definition of a plan: how it may be made, and the nodes that it is made of."""

from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from workflows.definitions.agent import Agent, Limits, Names, OutputFiles
from workflows.definitions.inputs import MAX_INPUTS, InputName
from workflows.definitions.integers import Integer
from workflows.definitions.pipeline import MAX_STEPS, Step, StepId
from workflows.states import NodeKind, Size

DEFAULT_NODES = 8
MAX_NODES = 50
DEFAULT_PARALLEL = 4
MAX_DEPTH = 3
MAX_REPLANS = 5
# Of the planner, in turns: it makes the plan, and sums it up.
MIN_TURNS = 2
# A revision adds this many at most: more is another plan.
MAX_ADDED = 3
# As much as a prompt: a task that is not split is a node with all of its prompt.
MAX_NODE_DESCRIPTION_CHARACTERS = 100_000


class Atomicity(StrEnum):
    """How finely a task is cut. ``relaxed`` has to give a reason for each node beyond the first."""

    CONSERVATIVE = "conservative"
    RELAXED = "relaxed"


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


NodeId = StepId


class Node(_Model):
    """A part of a plan, which is a task of its own.

    ``inputs`` are its files, by the name that it knows them under: ``${inputs.NAME}`` is one of the
    plan's, ``${nodes.ID.files['NAME']}`` one that another node makes. ``files`` are those that it
    has to make itself, and ``output_schema`` is what its result must match. ``steps`` are those of
    a pipeline. ``why`` says what is gained by it, where a plan has to give a reason for each node.
    """

    id: NodeId
    title: str = Field(min_length=1, max_length=120)
    description: str = Field(default="", max_length=MAX_NODE_DESCRIPTION_CHARACTERS)
    kind: NodeKind = NodeKind.AGENT
    depends_on: tuple[NodeId, ...] = Field(default=(), max_length=MAX_NODES)
    inputs: dict[InputName, Annotated[str, Field(max_length=1_000)]] = Field(
        default={}, max_length=MAX_INPUTS
    )
    files: OutputFiles = ()
    output_schema: dict[str, JsonValue] | None = None
    skills: Names | None = None
    tools: Names | None = None
    steps: list[Step] | None = Field(default=None, min_length=1, max_length=MAX_STEPS)
    size: Size = Size.SMALL
    why: str = Field(default="", max_length=1_000)


class Proposal(_Model):
    """The answer of a planner: nodes; or that the task is ``atomic``, and one node does all."""

    nodes: tuple[Node, ...] = ()
    atomic: bool = False
    reason: str = Field(default="", max_length=4_000)


class Revision(_Model):
    """How a planner changes what is pending after nodes have failed. ``rewire`` are nodes as they
    are to be, of ids that there are; a revision without changes says that nothing helps."""

    reason: str = Field(default="", max_length=4_000)
    add: tuple[Node, ...] = ()
    drop: tuple[NodeId, ...] = ()
    rewire: tuple[Node, ...] = ()

    @property
    def is_empty(self) -> bool:
        return not (self.add or self.drop or self.rewire)


class Plan(_Model):
    """``agent`` is what nodes are where they do not say otherwise. ``limits`` are those of the
    whole, nodes and all, but for turns, which are those of the planner. ``depth`` is how often a
    large node may be split again.

    With ``approve``, a person sees the plan before anything runs. ``replans`` is how often pending
    nodes may be planned anew after one has failed. Without ``atomicity`` the server's setting
    applies.
    """

    atomicity: Atomicity | None = None
    max_nodes: Integer = Field(default=DEFAULT_NODES, ge=1, le=MAX_NODES)
    parallel: Integer = Field(default=DEFAULT_PARALLEL, ge=1, le=MAX_NODES)
    depth: Integer = Field(default=1, ge=1, le=MAX_DEPTH)
    replans: Integer = Field(default=1, ge=0, le=MAX_REPLANS)
    approve: bool = False
    agent: Agent = Agent()
    limits: Limits = Limits()
    output_schema: dict[str, JsonValue] | None = None

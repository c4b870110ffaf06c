"""The bodies of requests, and their limits."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from workflows.definitions.agent import Agent
from workflows.definitions.inputs import InputName
from workflows.definitions.mcp_server import McpServer
from workflows.definitions.pipeline import Pipeline
from workflows.definitions.plan import MAX_NODE_DESCRIPTION_CHARACTERS, MAX_NODES, Node, Plan
from workflows.states import Permission, TaskType

MAX_PROMPT_CHARACTERS = 100_000
MAX_NOTE_CHARACTERS = 20_000
MAX_DESCRIPTION_CHARACTERS = 2_000
MAX_POINTER_CHARACTERS = 1_000
MAX_ACCEPTED = 1_000

# PostgreSQL keeps no NUL in text.
Text = Annotated[str, Field(pattern=r"^[^\x00]*$")]


class _Request(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TaskRequest(_Request):
    """``inputs`` maps names to references. The field named after the ``type`` defines the work.

    With type ``auto``, the default, a request that has a ``pipeline`` runs that pipeline. Of one
    that has a prompt, a model chooses what it is; ``agent`` and ``plan`` say then what an agent or
    a plan would be.
    """

    type: TaskType = TaskType.AUTO
    prompt: str | None = Field(default=None, max_length=MAX_PROMPT_CHARACTERS)
    priority: int = Field(default=5, ge=1, le=10, description="10 is the most urgent", strict=True)
    inputs: dict[InputName, str] = {}
    pipeline: Pipeline | None = None
    agent: Agent | None = None
    plan: Plan | None = None


class RetryRequest(_Request):
    """``from`` is the name or id of a sub-task: a step, or a call that an agent made, for which its
    number, such as 4.1, is enough.

    A pipeline starts from that step, by default from the first that is not completed. An agent
    resumes before the turn of that call, by default after its last complete turn; with ``start`` it
    starts over.

    A plan runs again those of its nodes that are not completed and, with ``from``, that node and
    all that depend on it; a node may be named by its number or the id of its task, or the
    first six or more characters of that, too. ``NODE/STEP`` begins within the task of a node, which
    keeps what it made before. ``start`` plans anew. ``description`` is what the node ``from`` has
    to do from now on.

    ``inputs`` replace those of the same name, which the task must have; nodes of a plan that were
    given one run again.

    ``pipeline`` is what the task is from now on. Steps before the one it begins with keep their
    results, and must be as they were; by default it begins with the first that is not, or that is
    not completed. With ``dry_run`` nothing runs: the answer says what would.
    """

    begin: Text | None = Field(default=None, alias="from", max_length=300)
    inputs: dict[InputName, Text] = {}
    description: Text | None = Field(
        default=None, min_length=1, max_length=MAX_NODE_DESCRIPTION_CHARACTERS
    )
    pipeline: Pipeline | None = None
    dry_run: bool = Field(default=False, strict=True)


class RequeueRequest(RetryRequest):
    """As a retry of the task of a dead letter. ``note`` says why, in the audit log."""

    note: Text = Field(default="", max_length=MAX_NOTE_CHARACTERS)


class DiscardRequest(_Request):
    """``note`` says why nothing is to be done about a dead letter."""

    note: Text = Field(min_length=1, max_length=MAX_NOTE_CHARACTERS)


class CompileRequest(_Request):
    """``accept`` are pointers of problems: texts that you take for constants, though the model may
    have read them in the data, and results, such as ``/result``, if you want none."""

    accept: tuple[Annotated[Text, Field(max_length=MAX_POINTER_CHARACTERS)], ...] = Field(
        default=(), max_length=MAX_ACCEPTED
    )


class ApprovalRequest(_Request):
    """``note`` is a message to the agent; for a question, it is the answer. A plan that is denied
    with a note is made anew, and one that is approved with ``nodes`` has these instead of its own.

    ``ask_id`` is that of what you were shown. It keeps a request that is sent twice, or late, from
    being taken for the answer to the next question, and a call that has asked before needs it.
    """

    decision: Literal["approve", "deny"]
    ask_id: UUID | None = None
    note: Text | None = Field(default=None, max_length=MAX_NOTE_CHARACTERS)
    nodes: tuple[Node, ...] | None = Field(default=None, max_length=MAX_NODES)


class ToolChange(_Request):
    is_active: bool | None = Field(default=None, strict=True)
    permission_level: Permission | None = None


class ToolRegistration(McpServer):
    """An MCP server, and the permission of its tools.

    ``permission_level`` applies to tools that are new to the team. If omitted, it is the server's
    previous one, or ``auto``.
    """

    permission_level: Permission | None = None
    description: Text = Field(default="", max_length=MAX_DESCRIPTION_CHARACTERS)

    @property
    def server(self) -> McpServer:
        return McpServer.model_validate(self.model_dump(include=set(McpServer.model_fields)))

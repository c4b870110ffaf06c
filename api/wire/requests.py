"""The bodies of requests, and their limits."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from workflows.definitions.inputs import InputName
from workflows.definitions.mcp_server import McpServer
from workflows.definitions.plan import MAX_NODE_DESCRIPTION_CHARACTERS, MAX_NODES, Node
from workflows.states import Permission

MAX_NOTE_CHARACTERS = 20_000
MAX_DESCRIPTION_CHARACTERS = 2_000
MAX_POINTER_CHARACTERS = 1_000
MAX_ACCEPTED = 1_000

# PostgreSQL keeps no NUL in text.
Text = Annotated[str, Field(pattern=r"^[^\x00]*$")]


class _Request(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class RetryRequest(_Request):
    """``from`` is the name or id of a sub-task: a step, or a call that an agent made, for which its
    number, such as 4.1, is enough.

    A pipeline starts from that step, by default from the first that is not completed. An agent
    resumes before the turn of that call, by default after its last complete turn; with ``start`` it
    starts over.

    A plan runs again those of its nodes that are not completed and, with ``from``, that node and
    all that depend on it; a node may be named by its number or the id of its task, or the
    first six or more characters of that, too. ``start``
    plans anew. ``description`` is what the node ``from`` has to do from now on.

    ``inputs`` replace those of the same name, which the task must have; nodes of a plan that were
    given one run again.
    """

    begin: Text | None = Field(default=None, alias="from", max_length=100)
    inputs: dict[InputName, Text] = {}
    description: Text | None = Field(
        default=None, min_length=1, max_length=MAX_NODE_DESCRIPTION_CHARACTERS
    )


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

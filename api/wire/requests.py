"""The bodies of requests, and their limits."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, field_validator

from workflows.definitions.fallback import Fallback
from workflows.definitions.inputs import InputName, as_kept
from workflows.definitions.integers import INTEGRAL
from workflows.definitions.limits import MAX_BOUND
from workflows.definitions.mcp_server import McpServer
from workflows.definitions.pipeline import MAX_PARAMETERS, Parameter, Pipeline
from workflows.definitions.plan import MAX_NODE_DESCRIPTION_CHARACTERS, MAX_NODES, Node
from workflows.definitions.webhook import (
    DEFAULT_NOTICES,
    Notices,
    WebhookUrl,
)
from workflows.states import Permission

MAX_NOTE_CHARACTERS = 20_000
MAX_TOLD_CHARACTERS = 20_000
MAX_WAIT_SECONDS = 60  # Proxies cut connections that are silent for longer.
MAX_DESCRIPTION_CHARACTERS = 2_000
MAX_POINTER_CHARACTERS = 1_000
MAX_ACCEPTED = 1_000
MAX_SECRET_CHARACTERS = 200
MAX_KEY_NAME_CHARACTERS = 100
MAX_BREAKER_SECONDS = 30 * 24 * 3_600.0

# PostgreSQL keeps no NUL in text.
Text = Annotated[str, Field(pattern=r"^[^\x00]*$")]


class _Request(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class RetryRequest(_Request):
    """``from`` is the name or id of a sub-task: a step, or a call that an agent made, for which its
    number, such as 4.1, is enough.

    A pipeline runs again what is not completed or uses an input that is replaced and, with
    ``from``, that step or that item of one (``chart[3]``), and all that needs one of these;
    everything beside it keeps its results.

    An agent resumes before the turn of that call, by default after its last complete turn; with
    ``start`` it starts over.

    A plan runs again those of its nodes that are not completed and, with ``from``, that node and
    all that depend on it; a node may be named by its number or the id of its task, or the
    first six or more characters of that, too. ``NODE/STEP`` begins within the task of a node, which
    keeps what it made before. ``start`` plans anew. ``description`` is what the node ``from`` has
    to do from now on.

    ``inputs`` replace those of the same name, which the task must have; nodes of a plan that were
    given one run again. ``cache`` is as for a new task, and stays as it was if omitted.

    ``pipeline`` is what the task is from now on, and ``parameters`` take the place of those of the
    same name, which it must have. Steps that are not as they were, but for how often and how long
    they are tried, run again, with all that needs them; those before ``from`` must be as they were.
    With ``dry_run`` nothing runs: the answer says what would, and what is new of the pipeline.
    """

    begin: Text | None = Field(default=None, alias="from", max_length=300)
    inputs: dict[InputName, Annotated[Text, AfterValidator(as_kept)]] = {}
    description: Text | None = Field(
        default=None, min_length=1, max_length=MAX_NODE_DESCRIPTION_CHARACTERS
    )
    cache: bool | None = Field(default=None, strict=True)
    pipeline: Pipeline | None = None
    parameters: dict[InputName, Parameter] = Field(default={}, max_length=MAX_PARAMETERS)
    dry_run: bool = Field(default=False, strict=True)


class RerunRequest(_Request):
    """A new task like one that there is: ``inputs`` and ``parameters`` take the place of those of
    the same name, which the task must have. ``cache`` is as for a new task, and as it was if
    omitted. With ``dry_run`` nothing is submitted: the answer says what would be."""

    inputs: dict[InputName, Annotated[Text, AfterValidator(as_kept)]] = {}
    parameters: dict[InputName, Parameter] = Field(default={}, max_length=MAX_PARAMETERS)
    cache: bool | None = Field(default=None, strict=True)
    dry_run: bool = Field(default=False, strict=True)


class RequeueRequest(RetryRequest):
    """As a retry of the task of a dead letter. ``note`` says why, in the audit log."""

    note: Text = Field(default="", max_length=MAX_NOTE_CHARACTERS)


class DiscardRequest(_Request):
    """``note`` says why nothing is to be done about a dead letter."""

    note: Text = Field(min_length=1, max_length=MAX_NOTE_CHARACTERS)


class TellRequest(_Request):
    """What the agent of a task is told while it is at work on it."""

    content: Annotated[
        Text, Field(min_length=1, max_length=MAX_TOLD_CHARACTERS, pattern=r"^[^\x00]*\S[^\x00]*$")
    ]


class CompileRequest(_Request):
    """``accept`` are pointers of problems: texts that you take for constants, though the model may
    have read them in the data, and results, such as ``/result``, if you want none."""

    accept: tuple[Annotated[Text, Field(max_length=MAX_POINTER_CHARACTERS)], ...] = Field(
        default=(), max_length=MAX_ACCEPTED
    )


class ApprovalRequest(_Request):
    """``note`` is a message to the agent; for a question, it is the answer. A plan that is denied
    with a note is made anew, and one that is approved with ``nodes`` has these instead of its own.
    A call that is approved with ``arguments`` is made with these, all of them, and the model is
    told so.

    ``ask_id`` is that of what you were shown. It keeps a request that is sent twice, or late, from
    being taken for the answer to the next question, and a call that has asked before needs it.
    """

    decision: Literal["approve", "deny"]
    ask_id: UUID | None = None
    note: Text | None = Field(default=None, max_length=MAX_NOTE_CHARACTERS)
    nodes: tuple[Node, ...] | None = Field(default=None, max_length=MAX_NODES)
    arguments: dict[str, JsonValue] | None = None


class ClearRequest(_Request):
    """``step`` is the id of steps, ``skill`` and ``tool`` are names; with none of them, all results
    of the team are meant."""

    step: Text | None = Field(default=None, max_length=63)
    skill: Text | None = Field(default=None, max_length=64)
    tool: Text | None = Field(default=None, max_length=128)


BoundOrNone = Annotated[int, Field(ge=0, le=MAX_BOUND, strict=True), INTEGRAL] | None


class BreakerDecision(_Request):
    """An open breaker is tried after ``seconds``, a closed one does not open before; by default the
    former stays open until somebody closes it, and the latter counts at once. ``note`` says why."""

    seconds: float | None = Field(
        default=None, gt=0, le=MAX_BREAKER_SECONDS, allow_inf_nan=False, strict=True
    )
    note: Text = Field(default="", max_length=MAX_DESCRIPTION_CHARACTERS)


class ToolChange(_Request):
    """``max_running`` of its calls may run at once, and ``calls_per_minute`` be made; 0 is no
    limit. ``fallback`` is called in place of the tool while its breaker is open; null: none is.
    What is left out stays."""

    is_active: bool | None = Field(default=None, strict=True)
    permission_level: Permission | None = None
    max_running: BoundOrNone = None
    calls_per_minute: BoundOrNone = None
    fallback: Fallback | None = None


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


class KeyRequest(_Request):
    """``name`` tells people what the key is for. The audit log says it of whatever the key does, so
    it is a line of text."""

    name: Annotated[str, Field(min_length=1, max_length=MAX_KEY_NAME_CHARACTERS)]

    @field_validator("name")
    @classmethod
    def _is_a_line(cls, name: str) -> str:
        if not name.isprintable() or not name.strip():
            raise ValueError("it must be a line of printable characters")
        return name.strip()


class WebhookRequest(_Request):
    """``url`` is told of every task of the team; not of nodes of plans. ``secret`` is what its
    deliveries are signed with, ``whsec_`` and 24 to 64 bytes in base64; by default one is made."""

    url: WebhookUrl
    events: Notices = DEFAULT_NOTICES
    secret: Text | None = Field(default=None, max_length=MAX_SECRET_CHARACTERS)


class WebhookChange(_Request):
    """``is_active``: with ``true``, what was given up while it was off is sent again."""

    is_active: bool | None = Field(default=None, strict=True)
    events: Notices | None = None

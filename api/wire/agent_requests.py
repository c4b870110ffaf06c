"""The bodies of requests for agents that stay."""

from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue

from api.wire.requests import Text
from workflows.definitions.agent import Names, Profile
from workflows.definitions.inputs import MAX_CHARACTERS, InputName, as_kept
from workflows.definitions.resident import ResidentLimits
from workflows.definitions.resident_name import AgentName
from workflows.resident_states import ChildrenFate
from workflows.states import MessageMode

MAX_CONTENT_CHARACTERS = 100_000
MAX_TEMPLATE_DESCRIPTION_CHARACTERS = 1_000
MAX_WAIT_SECONDS = 60

TEMPLATE_NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$"
TemplateName = Annotated[str, Field(pattern=TEMPLATE_NAME)]
ModelName = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]


def to_content(value: str) -> str:
    """Raises ``ValueError`` for a message of blanks."""
    if not value.strip():
        raise ValueError("a message says something")
    return value


class _Request(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class AgentFields(_Request):
    """Who an agent is. What is left out is that of the template, or the default."""

    profile: Profile | None = None
    skills: Names | None = None
    tools: Names | None = None
    model: ModelName | None = None
    limits: ResidentLimits | None = None

    @property
    def given(self) -> dict[str, JsonValue]:
        """What was said of a definition, and nothing else. A null profile says nothing."""
        said = self.model_dump(mode="json", exclude_unset=True, include=set(DEFINITION_FIELDS))
        return {
            name: value
            for name, value in said.items()
            if value is not None or name not in ("profile", "limits")
        }


DEFINITION_FIELDS = tuple(AgentFields.model_fields)


class AgentRequest(AgentFields):
    """An agent that stays. ``skills`` and ``tools`` name what it may use, null is everything; each
    limit of ``limits`` but ``daily_tokens``, ``daily_cost_usd``, ``children`` and ``hops`` is for a
    turn, from the messages that it reads to its answer. ``template`` names one of
    ``GET /agent-templates``, over which the other fields are laid."""

    name: AgentName
    parent_id: UUID | None = None
    template: TemplateName | None = None


class AgentChange(AgentFields):
    """What is left out stays as it is, also within ``profile`` and ``limits``. It holds from the
    agent's next turn on."""

    name: AgentName | None = None


class TemplateRequest(AgentFields):
    """What agents are made of. ``description`` says what they are good for."""

    description: Text = Field(default="", max_length=MAX_TEMPLATE_DESCRIPTION_CHARACTERS)


class MessageRequest(_Request):
    """A message to an agent. ``attachments`` maps names to references, as ``inputs`` of a task do.
    ``from`` is the agent of your team as which you write, by its id; by default it is you. With
    ``mode`` ``interrupt`` the answer that the agent is giving ends at once, and it reads this."""

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True)

    content: Annotated[
        Text, Field(min_length=1, max_length=MAX_CONTENT_CHARACTERS), AfterValidator(to_content)
    ]
    attachments: dict[
        InputName, Annotated[Text, Field(max_length=MAX_CHARACTERS), AfterValidator(as_kept)]
    ] = {}
    sender: UUID | None = Field(default=None, alias="from")
    mode: MessageMode = MessageMode.QUEUE


class RestartRequest(_Request):
    """``skip``: what the failed turn was to answer counts as read. By default it is taken again."""

    skip: bool = Field(default=False, strict=True)


class TerminateRequest(_Request):
    """``children``: the agents that it has made end with it, and theirs, or they are handed over to
    its own parent; without one, to nobody."""

    children: ChildrenFate = ChildrenFate.TERMINATE

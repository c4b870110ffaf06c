"""The bodies of requests for groups of agents that stay."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from api.wire.agent_requests import to_content
from api.wire.requests import Text
from workflows.definitions.group import (
    MAX_GROUP_CONTENT_CHARACTERS,
    MAX_MEMBERS,
    GroupLimits,
    GroupName,
)
from workflows.definitions.inputs import MAX_CHARACTERS, InputName, as_kept
from workflows.definitions.resident_name import MAX_NAME_CHARACTERS
from workflows.states import GroupMode

MAX_GROUP_WAIT_SECONDS = 60

Member = Annotated[Text, Field(min_length=1, max_length=MAX_NAME_CHARACTERS)]
Members = Annotated[tuple[Member, ...], Field(max_length=MAX_MEMBERS)]


class _Request(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class GroupRequest(_Request):
    """``members`` are names or ids of agents of your team. In a group that is ``moderated`` only
    those in ``answering`` answer, who are members, too. ``limits`` bound each discussion, from a
    message until the group falls silent."""

    name: GroupName
    members: Members = ()
    mode: GroupMode = GroupMode.OPEN
    answering: Members = ()
    limits: GroupLimits = GroupLimits()


class GroupChangeRequest(_Request):
    """What is left out stays as it is. ``answering`` names all members that answer from now on
    while the group is moderated. ``limits`` replace all limits. A discussion that goes on follows
    from its next round on."""

    name: GroupName | None = None
    mode: GroupMode | None = None
    answering: Members | None = None
    limits: GroupLimits | None = None


class MembersRequest(_Request):
    """``members`` are names or ids of agents; those in ``answering``, who join as well, answer
    while the group is moderated."""

    members: Members = ()
    answering: Members = ()


class GroupMessageRequest(_Request):
    """A message to all members of a group: it begins a discussion, and ends an earlier one.
    ``attachments`` maps names to references, as ``inputs`` of a task do."""

    content: Annotated[
        Text,
        Field(min_length=1, max_length=MAX_GROUP_CONTENT_CHARACTERS),
        AfterValidator(to_content),
    ]
    attachments: dict[
        InputName, Annotated[Text, Field(max_length=MAX_CHARACTERS), AfterValidator(as_kept)]
    ] = {}

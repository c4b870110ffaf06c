"""Who says something in a conversation, and the quiet colour that is that voice's own."""

from binascii import crc32
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from api.wire.responses.agents import SYSTEM, USER, Agent, AgentMessage
from api.wire.responses.base import API
from api.wire.responses.groups import GroupMessage
from workflows.states import InboxKind

VOICES = 8
_REFERENCES: Mapping[str, str] = {"file": "files", "artifact": "artifacts"}
# Without a key there is one person only.
_LOCAL_USER = "local user"


@dataclass(frozen=True, slots=True)
class Attachment:
    """``path`` is where it can be had; None for what is elsewhere."""

    name: str
    reference: str
    path: str | None


@dataclass(frozen=True, slots=True)
class Said:
    """A message as a page has it. ``kind`` is ``own``, ``person``, ``agent`` or ``notice``."""

    message: AgentMessage | GroupMessage
    who: str
    kind: str
    voice: int
    agent_id: UUID | None
    to: str | None
    attachments: tuple[Attachment, ...]


def said_to_agent(agent: Agent, message: AgentMessage) -> Said:
    """A row of an agent's inbox."""
    is_own = message.kind == InboxKind.REPLY
    who, kind, sender = _sender(message.sender, message.from_name)
    if is_own:
        who, kind, sender = agent.name, "own", agent.id
    elif message.kind == InboxKind.NOTICE:
        kind = "notice"
    to = (message.to_name or "another agent") if is_own and message.to != USER else None
    return Said(
        message, who, kind, voice_of(sender or who), sender, to, attachments_of(message.attachments)
    )


def said_in_group(message: GroupMessage) -> Said:
    """What was said in a group."""
    who, kind, sender = _sender(message.sender, message.from_name)
    return Said(
        message,
        who,
        kind,
        voice_of(sender or who),
        sender,
        None,
        attachments_of(message.attachments),
    )


def attachments_of(given: Mapping[str, str]) -> tuple[Attachment, ...]:
    return tuple(Attachment(name, text, _path(text)) for name, text in sorted(given.items()))


def voice_of(speaker: object) -> int:
    """The number of a voice's colour: always the same, and for some voices the same as another's,
    which is why the name stands beside it."""
    return crc32(str(speaker).encode("utf-8", "replace")) % VOICES


def _sender(sender: str, name: str) -> tuple[str, str, UUID | None]:
    if sender == SYSTEM:
        return name or "AgentOS", "notice", None
    if sender == USER:
        return "You" if name in ("", USER, _LOCAL_USER) else name, "person", None
    return name or sender, "agent", _id(sender)


def _id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _path(reference: str) -> str | None:
    kind, _, key = reference.partition(":")
    found = _REFERENCES.get(kind)
    if found is None or _id(key) is None:
        return None
    return f"{API}/{found}/{key}"

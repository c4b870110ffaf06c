"""Who says something in a conversation, and the quiet colour that is that voice's own."""

from binascii import crc32
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from markupsafe import Markup

from api.web.text.budget import Budget
from api.wire.responses.agents import SYSTEM, USER, Agent, AgentMessage
from api.wire.responses.base import API
from api.wire.responses.groups import GroupMessage
from workflows.states import InboxKind

VOICES = 8
# Characters of one message; the whole of it is a link away.
MAX_SHOWN = 8_000
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
class Sender:
    """``kind`` is ``own``, of the agent whose page it is, ``person``, ``agent`` or ``notice``."""

    name: str
    kind: str
    agent_id: UUID | None = None

    @property
    def key(self) -> str:
        """What its voice is known by."""
        return str(self.agent_id or self.name)


@dataclass(frozen=True, slots=True)
class Said:
    """A message as a page has it. Of a long one ``body`` is the beginning."""

    message: AgentMessage | GroupMessage
    sender: Sender
    to: str | None
    body: Markup
    is_cut: bool
    attachments: Sequence[Attachment]


def said_to_agent(agent: Agent, message: AgentMessage, budget: Budget) -> Said:
    """A row of an agent's inbox."""
    is_own = message.kind == InboxKind.REPLY
    if is_own:
        sender = Sender(agent.name, "own", agent.id)
    elif message.kind == InboxKind.NOTICE:
        sender = Sender(message.from_name or "AgentOS", "notice")
    else:
        sender = sender_of(message.sender, message.from_name)
    to = (message.to_name or "another agent") if is_own and message.to != USER else None
    return _said(message, sender, to, budget)


def said_in_group(message: GroupMessage, budget: Budget) -> Said:
    return _said(message, sender_of(message.sender, message.from_name), None, budget)


def sender_of(sender: str, name: str) -> Sender:
    """Whoever has written, by what the API says of them."""
    if sender == SYSTEM:
        return Sender(name or "AgentOS", "notice")
    if sender == USER:
        return Sender("You" if name in ("", USER, _LOCAL_USER) else name, "person")
    return Sender(name or sender, "agent", _id(sender))


def voice_of(speaker: object) -> int:
    """The number of a voice's colour: always the same, and for some voices the same as another's,
    which is why the name stands beside it."""
    return crc32(str(speaker).encode("utf-8", "replace")) % VOICES


def voices_of(speakers: Iterable[object]) -> Mapping[str, int]:
    """Those of some that talk with each other: different ones, as long as there are enough."""
    voices: dict[str, int] = {}
    for speaker in sorted(map(str, speakers)):
        voice, taken = voice_of(speaker), set(voices.values())
        while voice in taken and len(taken) < VOICES:
            voice = (voice + 1) % VOICES
        voices[speaker] = voice
    return voices


def attachments_of(given: Mapping[str, str]) -> Sequence[Attachment]:
    return [Attachment(name, text, _path(text)) for name, text in sorted(given.items())]


def _said(
    message: AgentMessage | GroupMessage, sender: Sender, to: str | None, budget: Budget
) -> Said:
    text = message.content
    body = budget.markdown(text[:MAX_SHOWN]) if text.strip() else Markup()
    attachments = attachments_of(message.attachments)
    return Said(message, sender, to, body, len(text) > MAX_SHOWN, attachments)


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

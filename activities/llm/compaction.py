"""Making a conversation shorter by what an agent can best do without: its old turns."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from activities.llm.base import ChatMessage, ToolRequest

Count = Callable[[str], int]

# What a message takes beside its text: its role and separators.
MESSAGE_TOKENS = 4

# Turns are given up in groups, or every turn would change the start of the prompt and the server
# could use nothing of what it has cached.
GROUP_TURNS = 8

# The last turns are spared for as long as can be: the model is at work on them.
RECENT_TURNS = 3

# Shorter text is not worth a note in its place.
WORTH_TOKENS = 40

_END_CHARACTERS = 1_000
_HEAD_CHARACTERS = 200

_Shorten = Callable[[ChatMessage, Count], ChatMessage]


def size_tokens(messages: Sequence[ChatMessage], count: Count) -> int:
    """The tokens of a conversation, without the tools that are offered with it."""
    return sum(_size(message, count) for message in messages)


def compact(
    messages: Sequence[ChatMessage], budget_tokens: int, count: Count
) -> Sequence[ChatMessage]:
    """Shorten a conversation until it has at most ``budget_tokens``, or as far as it goes.

    First the results of tools in old turns give way to a note, then the model's own words in them,
    then old turns as a whole; last, the middle of long results in the recent turns, and what their
    calls were given. The oldest go first. What comes before the first turn and what is protected
    stays, and so does every request with its result. Opaque state stays as long as its turn does,
    for some models refuse a turn without it: it is given up last, where there is no room for it
    otherwise. ``messages`` are in the order of their turns.
    """
    last_old = max((message.turn for message in messages), default=0) - RECENT_TURNS
    for shorten in (_without_result, _without_words):
        messages = _shorten_old(messages, last_old, shorten, budget_tokens, count)
    messages = _drop_old(messages, last_old, budget_tokens, count)
    if size_tokens(messages, count) > budget_tokens:
        messages = [_without_middle(message, count) for message in messages]
    messages = _without_given(messages, budget_tokens, count)
    if size_tokens(messages, count) > budget_tokens:
        messages = [replace(message, opaque=None) for message in messages]
    return messages


def shorten_skills(
    messages: Sequence[ChatMessage], budget_tokens: int, count: Count
) -> Sequence[ChatMessage]:
    """Cut the ends off skills that were loaded, the oldest first, as far as ``budget_tokens`` asks.

    For a conversation that ``compact`` could not make short enough: a model that has the beginning
    of a skill can read on in its file, but one that is sent too much does nothing at all.
    """
    excess = size_tokens(messages, count) - budget_tokens
    shorter: list[ChatMessage] = []
    for message in messages:
        if excess > 0 and message.role == "tool" and message.is_protected:
            cut = _beginning(message, excess, count)
            excess -= _size(message, count) - _size(cut, count)
            message = cut  # noqa: PLW2901
        shorter.append(message)
    return shorter


def _beginning(message: ChatMessage, excess: int, count: Count) -> ChatMessage:
    """The message without ``excess`` tokens at its end, or with ``_END_CHARACTERS`` at least."""
    tokens = count(message.content)
    note = "\n[shortened: {} tokens; read_skill_file gives the rest of SKILL.md]"
    kept = max(tokens - excess - count(note) - MESSAGE_TOKENS, 0)
    characters = max(len(message.content) * kept // max(tokens, 1), _END_CHARACTERS)
    if characters >= len(message.content):
        return message
    head = message.content[:characters]
    return replace(message, content=f"{head}{note.format(tokens - count(head))}")


def _shorten_old(
    messages: Sequence[ChatMessage],
    last_old: int,
    shorten: _Shorten,
    budget_tokens: int,
    count: Count,
) -> Sequence[ChatMessage]:
    size = size_tokens(messages, count)
    shortened: list[ChatMessage] = []
    group = 0
    for position, message in enumerate(messages):
        if message.turn > last_old:
            return [*shortened, *messages[position:]]
        if _group(message) != group:
            group = _group(message)
            if size <= budget_tokens:
                return [*shortened, *messages[position:]]
        if message.turn and not message.is_protected:
            shorter = shorten(message, count)
            size -= _size(message, count) - _size(shorter, count)
            message = shorter  # noqa: PLW2901
        shortened.append(message)
    return shortened


def _drop_old(
    messages: Sequence[ChatMessage], last_old: int, budget_tokens: int, count: Count
) -> Sequence[ChatMessage]:
    """Leave out old turns, but for those in which something is protected."""
    kept = {message.turn for message in messages if message.is_protected}
    size = size_tokens(messages, count)
    dropped: set[int] = set()
    group = 0
    for message in messages:
        if message.turn > last_old:
            break
        if _group(message) != group:
            group = _group(message)
            if size <= budget_tokens:
                break
        if message.turn and message.turn not in kept:
            dropped.add(message.turn)
            size -= _size(message, count)
    if not dropped:
        return messages
    rest = [message for message in messages if message.turn not in dropped]
    return _with_note(rest, f"[earlier turns left out here: {len(dropped)}]")


def _with_note(messages: list[ChatMessage], note: str) -> list[ChatMessage]:
    """Say in the first message of the user what is missing after it.

    A message of its own would break the order of roles that some models' templates insist on.
    """
    for position, message in enumerate(messages):
        if message.role == "user":
            messages[position] = replace(message, content=f"{message.content}\n\n{note}")
            break
    return messages


def _without_result(message: ChatMessage, count: Count) -> ChatMessage:
    if message.role != "tool":
        return message
    tokens = count(message.content)
    if tokens <= WORTH_TOKENS:
        return message
    return replace(message, content=_note(tokens))


def _without_words(message: ChatMessage, count: Count) -> ChatMessage:
    if message.role == "tool":
        return message
    content = message.content
    if len(content) > 2 * _HEAD_CHARACTERS:
        content = f"{content[:_HEAD_CHARACTERS]} [shortened: {count(content)} tokens]"
    requests = tuple(_without_arguments(request, count) for request in message.requests)
    return replace(message, content=content, requests=requests)


def _without_given(
    messages: Sequence[ChatMessage], budget_tokens: int, count: Count
) -> Sequence[ChatMessage]:
    """Without what calls were given, whatever their turn: a model writes more than it can read."""
    excess = size_tokens(messages, count) - budget_tokens
    shorter: list[ChatMessage] = []
    for message in messages:
        if excess > 0 and message.requests:
            requests = tuple(_without_arguments(request, count) for request in message.requests)
            cut = replace(message, requests=requests)
            excess -= _size(message, count) - _size(cut, count)
            message = cut  # noqa: PLW2901
        shorter.append(message)
    return shorter


def _without_arguments(request: ToolRequest, count: Count) -> ToolRequest:
    tokens = count(request.arguments)
    if tokens <= WORTH_TOKENS:
        return request
    return replace(request, arguments=f'{{"shortened": "{tokens} tokens"}}')


def _without_middle(message: ChatMessage, count: Count) -> ChatMessage:
    if message.role != "tool" or message.is_protected:
        return message
    middle = message.content[_END_CHARACTERS:-_END_CHARACTERS]
    tokens = count(middle)
    if tokens <= WORTH_TOKENS:
        return message
    head, tail = message.content[:_END_CHARACTERS], message.content[-_END_CHARACTERS:]
    return replace(message, content=f"{head}\n{_note(tokens)}\n{tail}")


def _note(tokens: int) -> str:
    return f"[shortened: {tokens} tokens; read it again with the tool if needed]"


def _size(message: ChatMessage, count: Count) -> int:
    requests = sum(count(request.name) + count(request.arguments) for request in message.requests)
    opaque = 0 if message.opaque is None else count(message.opaque.text)
    return MESSAGE_TOKENS + count(message.content) + requests + opaque


def _group(message: ChatMessage) -> int:
    """0 before the first turn."""
    return -(-message.turn // GROUP_TURNS)

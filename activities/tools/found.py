"""What a search for tools has found, as the conversation tells it.

Nothing else keeps it: what was found is found again by whoever reads the conversation, on another
worker, after a retry or a reset.
"""

import re
from collections.abc import Collection, Iterable, Sequence

from activities.llm.base import ChatMessage

_LINE = re.compile(r"(?:<output>\n)?Found: (.+)")


def found_line(names: Iterable[str]) -> str:
    """The first line of the result of a search."""
    return f"Found: {', '.join(names)}"


def found_tools(
    messages: Iterable[ChatMessage], searches: Collection[str], known: Collection[str]
) -> Sequence[str]:
    """The names among ``known`` of tools that were found or called, the latest last.

    ``searches`` are the names of tools that find others. Only the first line of a result counts:
    further down stand the words of servers, which may say anything.
    """
    found: dict[str, None] = {}
    asked: dict[str, str] = {}
    for message in messages:
        names: Sequence[str] = ()
        if message.requests:
            asked |= {request.id: request.name for request in message.requests}
            names = [request.name for request in message.requests]
        elif message.role == "tool" and asked.get(message.request_id or "") in searches:
            line = _LINE.match(message.content)
            # In the order of their fitness: the best of them is the latest.
            names = line[1].split(", ")[::-1] if line else ()
        for name in names:
            if name in known:
                found.pop(name, None)
                found[name] = None
    return list(found)

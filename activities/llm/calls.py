"""The calls of an answer, told apart and put together from the pieces in which a server sends them.

Servers leave out ids or indices, give all calls the same one, repeat names, cut them, or send a
whole call once more at the end.
"""

import json
import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from activities.llm.base import ToolRequest
from activities.llm.untrusted import mapping_of, number_of, text_of

MAX_REQUESTS = 128

# Mistral takes ids of nine letters and digits only; others take any.
_ID_CHARACTERS = 9

# How often it is looked whether the arguments of one call are complete: each look reads them all.
_MAX_LOOKS = 16

_KNOWN_FIELDS = frozenset({"index", "id", "type", "function", "custom", "name", "arguments"})

# Where the arguments are: "input" is Claude's word, and that of OpenAI's custom tools.
_ARGUMENTS = ("arguments", "input", "parameters")


@dataclass(slots=True)
class Piece:
    """``extra`` holds the fields that no standard knows."""

    choice: int
    index: int | None
    id: str
    name: str
    arguments: str
    extra: Mapping[str, object]

    @property
    def is_blank(self) -> bool:
        return not self.arguments.strip()

    @property
    def is_nothing(self) -> bool:
        return not (self.id or self.name or self.arguments or self.extra)


@dataclass(slots=True, eq=False)
class _Call:
    """``pieces`` are those of the arguments: to put them together each time takes minutes.

    An echo may be only the name of the call before, once more; it is a call if anything follows.
    """

    choice: int
    index: int | None
    id: str
    name: str
    pieces: list[str] = field(default_factory=list)
    extra: list[Mapping[str, object]] = field(default_factory=list)
    echo_of: "_Call | None" = None
    looks: int = 0
    own_id: str = field(default_factory=lambda: uuid.uuid4().hex[:_ID_CHARACTERS])

    @property
    def arguments(self) -> str:
        return "".join(self.pieces)

    @property
    def is_blank(self) -> bool:
        return not any(piece.strip() for piece in self.pieces)

    def is_complete(self) -> bool:
        """Whether the arguments are a whole object."""
        self.looks += 1
        return self.looks <= _MAX_LOOKS and isinstance(_parsed(self.arguments), dict)

    def take(self, piece: Piece) -> None:
        self.id = self.id or piece.id
        self.name = self.name or piece.name
        self.pieces.append(piece.arguments)
        if piece.extra:
            self.extra.append(piece.extra)


@dataclass(frozen=True, slots=True)
class MadeCall:
    """``extra`` are the pieces of what must go back with it."""

    request: ToolRequest
    extra: tuple[Mapping[str, object], ...]


def read_piece(value: object, choice: int) -> Piece:
    """A piece of a call as it is in an answer; the name and arguments of some are not inside."""
    fields = mapping_of(value)
    function = mapping_of(fields.get("function") or fields.get("custom") or fields)
    arguments = next((name for name in _ARGUMENTS if function.get(name) is not None), "")
    extra = {
        name: item
        for name, item in fields.items()
        if name not in (*_KNOWN_FIELDS, arguments) and item not in (None, "")
    }
    inner = {
        name: item
        for name, item in mapping_of(fields.get("function")).items()
        if name not in ("name", "arguments", arguments) and item not in (None, "")
    }
    return Piece(
        choice=choice,
        index=number_of(fields.get("index")),
        id=text_of(fields.get("id")),
        name=text_of(function.get("name")),
        arguments=_arguments(function.get(arguments)),
        extra={**extra, "function": inner} if inner else extra,
    )


class Calls:
    """The calls so far. ``offered`` are the names that the model was given."""

    def __init__(self, offered: Collection[str] = ()) -> None:
        self._offered = frozenset(offered)
        self._calls: list[_Call] = []

    def __len__(self) -> int:
        return len(self._calls)

    def add(self, piece: Piece) -> None:
        call = self._continued(piece)
        if call is None:
            call = _Call(piece.choice, piece.index, "", "")
            self._calls.append(call)
        call.take(piece)

    def made(self) -> list[MadeCall]:
        """The calls in the order in which they began, each with an id of its own, and once."""
        taken: set[str] = set()
        made: list[MadeCall] = []
        for call in self._different()[:MAX_REQUESTS]:
            is_own = not call.id or call.id in taken
            key = call.own_id if is_own else call.id
            taken.add(key)
            request = ToolRequest(key, call.name, call.arguments)
            made.append(MadeCall(request, tuple(call.extra)))
        return made

    def _different(self) -> list[_Call]:
        """All but the echoes of names, and what was sent once more."""
        seen: dict[tuple[str, str], set[str]] = {}
        different = []
        for call in self._calls:
            original = call.echo_of
            if original is not None and call.is_blank and not original.is_blank:
                continue
            if self._was_sent(call, seen):
                continue
            different.append(call)
        return different

    @staticmethod
    def _was_sent(call: _Call, seen: dict[tuple[str, str], set[str]]) -> bool:
        """Whether it has the name, arguments and id of an earlier one. Without ids, nothing tells
        a call without arguments that is wanted twice from one that was sent twice."""
        arguments = call.arguments
        parsed = _parsed(arguments)
        same = arguments.strip() if parsed is None else json.dumps(parsed, sort_keys=True)
        ids = seen.setdefault((call.name, same), set())
        has_arguments = same not in ("", "{}", "null")
        was_sent = bool(call.id and call.id in ids) or (
            has_arguments and bool(ids) and (not call.id or "" in ids)
        )
        ids.add(call.id)
        return was_sent

    def _continued(self, piece: Piece) -> _Call | None:
        """The call that ``piece`` belongs to; None when it begins one.

        A piece without a name continues a call, whatever its id: vLLM made up a new id for every
        piece. Under an index that is taken, a name begins another call when its id is another one,
        or when the call there is complete: Gemini gives every call the index 0.
        """
        same = self._candidates(piece)
        if not same:
            return None
        call = same[-1]
        if not piece.name or not call.name:
            return self._real(call)
        if piece.id and call.id and piece.id != call.id:
            return None
        if piece.name != call.name:
            return self._renamed(call, piece)
        return self._continued_alike(call, piece)

    def _candidates(self, piece: Piece) -> list[_Call]:
        ours = [call for call in self._calls if call.choice == piece.choice]
        if piece.index is not None:
            ours = [call for call in ours if call.index == piece.index]
        with_id = [call for call in ours if piece.id and call.id == piece.id]
        if with_id:
            return with_id
        return [] if piece.index is None and piece.id and piece.name else ours

    def _continued_alike(self, call: _Call, piece: Piece) -> _Call | None:
        """As ``_continued``, where the piece repeats the name of the call."""
        has_ids = bool(piece.id or call.id)
        if piece.is_blank:
            may_begin = not piece.id and (call.is_complete() if not call.is_blank else not has_ids)
            return self._echo(call, piece) if may_begin else call
        if call.is_blank:
            return self._real(call)
        if not piece.arguments.lstrip().startswith("{") or not call.is_complete():
            return call
        # Some gateways begin with an empty object, and send the arguments after it.
        is_prefix = bool(piece.id) and piece.id == call.id and call.arguments.strip() == "{}"
        return call if is_prefix and piece.arguments.strip() != "{}" else None

    def _echo(self, call: _Call, piece: Piece) -> _Call:
        echo = _Call(piece.choice, piece.index, "", "", echo_of=call)
        self._calls.append(echo)
        return echo

    def _real(self, call: _Call) -> _Call:
        """The call itself where a name was only repeated before its arguments began."""
        while call.echo_of is not None and call.is_blank and call.echo_of.is_blank:
            self._calls.remove(call)
            call = call.echo_of
        return call

    def _renamed(self, call: _Call, piece: Piece) -> _Call | None:
        """The call whose name is cut in pieces; None when the name is that of another call."""
        if not call.is_blank:
            is_same = bool(piece.id) and piece.id == call.id and not call.is_complete()
            return call if is_same else None
        name = self._joined(call, piece)
        if name is None:
            return None
        call.name = name
        return call

    def _joined(self, call: _Call, piece: Piece) -> str | None:
        joined = call.name + piece.name
        if piece.name in self._offered:
            # Some repeat what they have of the name so far.
            is_longer = piece.name.startswith(call.name) and call.name not in self._offered
            return piece.name if is_longer else None
        if any(name.startswith(joined) for name in self._offered):
            return joined
        if call.name in self._offered:
            return None
        return joined if call.id else None


def _arguments(value: object) -> str:
    return text_of(value) if isinstance(value, str | None) else json.dumps(value)


def _parsed(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None

"""What attempts have printed, line by line, as a page shows it: found, cut, and in colours."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from api.web.text.ansi import ansi_lines, without_escapes
from api.web.text.visible import lines_of
from api.wire.responses.history import Attempt

# Of one stream of an attempt: more lines keep their beginning and their end.
HEAD_LINES = 1_000
TAIL_LINES = 5_000
# Of a page, in characters. What comes later is folded until it is asked for.
PAGE_CHARACTERS = 2 * 1024 * 1024
LINE_CHARACTERS = 4_000
# The browser lays out only those chunks that are in sight.
CHUNK_LINES = 100


@dataclass(frozen=True, slots=True)
class Line:
    number: int
    text: Markup


@dataclass(frozen=True, slots=True)
class Output:
    """A stream of an attempt. ``left_out`` lines are missing after the first ``chunks``."""

    stream: str
    count: int
    shown: int
    head: Sequence[Sequence[Line]]
    left_out: int
    tail: Sequence[Sequence[Line]]


@dataclass(frozen=True, slots=True)
class ShownAttempt:
    """``is_folded``: there is more on the page already than can be looked through."""

    attempt: Attempt
    outputs: Sequence[Output]
    is_folded: bool

    @property
    def is_running(self) -> bool:
        return self.attempt.finished_at is None


def shown_attempts(attempts: Iterable[Attempt], wanted: str = "") -> Sequence[ShownAttempt]:
    """Their output, of which only lines with ``wanted`` if that is said. It takes a while: call it
    beside the event loop."""
    shown, room = list[ShownAttempt](), PAGE_CHARACTERS
    for attempt in attempts:
        size = len(attempt.stdout) + len(attempt.stderr)
        is_folded = room <= 0 < size
        streams = (("stdout", attempt.stdout), ("stderr", attempt.stderr))
        outputs = [] if is_folded else [_output(name, text, wanted) for name, text in streams]
        room -= size
        shown.append(ShownAttempt(attempt, [each for each in outputs if each.count], is_folded))
    return shown


def _output(stream: str, text: str, wanted: str) -> Output:
    numbered = list(enumerate(lines_of(text), start=1))
    count = len(numbered)
    if wanted:
        key = wanted.casefold()
        numbered = [each for each in numbered if key in without_escapes(each[1]).casefold()]
    most = HEAD_LINES + TAIL_LINES
    left_out = max(len(numbered) - most, 0)
    head = numbered[:HEAD_LINES] if left_out else numbered
    tail = numbered[-TAIL_LINES:] if left_out else []
    return Output(stream, count, len(numbered), _chunks(head), left_out, _chunks(tail))


def _chunks(numbered: Sequence[tuple[int, str]]) -> Sequence[Sequence[Line]]:
    texts = ansi_lines("\n".join(_short(text) for _, text in numbered))
    lines = [Line(number, text) for (number, _), text in zip(numbered, texts, strict=False)]
    return [lines[at : at + CHUNK_LINES] for at in range(0, len(lines), CHUNK_LINES)]


def _short(line: str) -> str:
    more = len(line) - LINE_CHARACTERS
    return line if more <= 0 else f"{line[:LINE_CHARACTERS]}… ({more} more characters)"

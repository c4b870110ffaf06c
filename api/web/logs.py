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
# Of a page. What comes later is folded until it is asked for.
PAGE_CHARACTERS = 2 * 1024 * 1024
PAGE_LINES = 12_000
LINE_CHARACTERS = 4_000
# A stream that is long all the same is shown with shorter lines, and one that is nothing but
# escapes without them.
STREAM_CHARACTERS = 2 * 1024 * 1024
SHORT_CHARACTERS = 300
MAX_ESCAPES = 30_000
# The browser lays out only those chunks that are in sight.
CHUNK_LINES = 100


@dataclass(frozen=True, slots=True)
class Output:
    """A stream of an attempt, by chunks of lines. ``left_out`` are missing behind ``head``.

    ``count`` is how many lines there are, ``shown`` how many of them are as was asked for.
    """

    stream: str
    count: int
    shown: int
    head: Sequence[Markup]
    left_out: int
    tail: Sequence[Markup]


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
    shown, characters, lines = list[ShownAttempt](), PAGE_CHARACTERS, PAGE_LINES
    for attempt in attempts:
        size = len(attempt.stdout) + len(attempt.stderr)
        is_folded = size > 0 and min(characters, lines) <= 0
        streams = (("stdout", attempt.stdout), ("stderr", attempt.stderr))
        outputs = [] if is_folded else [_output(name, text, wanted) for name, text in streams]
        characters -= size
        lines -= sum(min(each.shown, HEAD_LINES + TAIL_LINES) for each in outputs)
        shown.append(ShownAttempt(attempt, [each for each in outputs if each.count], is_folded))
    return shown


def _output(stream: str, text: str, wanted: str) -> Output:
    lines = lines_of(text)
    numbers: Sequence[int] = range(len(lines))
    if wanted:
        key = wanted.casefold()
        numbers = [n for n in numbers if key in without_escapes(lines[n]).casefold()]
    left_out = max(len(numbers) - HEAD_LINES - TAIL_LINES, 0)
    head = numbers[:HEAD_LINES] if left_out else numbers
    tail = numbers[-TAIL_LINES:] if left_out else ()
    parts = [_chunks(lines, part) for part in (head, tail)]
    return Output(stream, len(lines), len(numbers), parts[0], left_out, parts[1])


def _chunks(lines: Sequence[str], numbers: Sequence[int]) -> Sequence[Markup]:
    text = "\n".join(_short(lines[n], LINE_CHARACTERS) for n in numbers)
    if len(text) > STREAM_CHARACTERS:
        text = "\n".join(_short(lines[n], SHORT_CHARACTERS) for n in numbers)
    if text.count("\x1b") > MAX_ESCAPES:
        text = without_escapes(text)
    spans = [
        f'<span data-n="{n + 1}">{line}\n</span>'
        for n, line in zip(numbers, ansi_lines(text), strict=False)
    ]
    return [_chunk(spans[at : at + CHUNK_LINES]) for at in range(0, len(spans), CHUNK_LINES)]


def _chunk(lines: Sequence[str]) -> Markup:
    # The browser has a size for a full one before it is laid out.
    kind = "chunk" if len(lines) == CHUNK_LINES else "chunk short"
    return Markup(f'<code class="{kind}">{"".join(lines)}</code>')  # noqa: S704  (ansi escapes)


def _short(line: str, most: int) -> str:
    more = len(line) - most
    return line if more <= 0 else f"{line[:most]}… ({more} more characters)"

"""What programs print for a terminal: colours become classes, the rest of the escapes goes."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from html import escape

from markupsafe import Markup

from api.web.text.colours import nearest, of_table
from api.web.text.visible import visible

# Each branch ends at the next escape or line end at the latest, so that no text is read twice.
_ESCAPE = re.compile(
    r"""
    \x1b\[(?P<parameters>[0-?]*)[ -/]*(?P<end>[@-~])   # CSI, of which SGR ends in m
    | \x1b[\]PX^_][^\x07\x1b\n]*(?:\x07|\x1b\\)        # OSC and other strings: titles, links
    | \x1b[ -/]*[0-~]                                  # two letters
    | \x1b
    """,
    re.VERBOSE,
)
_MOST_PARAMETERS = 32
_NUMBER = re.compile("[0-9]{1,3}")

# The rest of SGR (blinking, fonts, frames) is left out.
_STYLES = {1: "bold", 2: "dim", 3: "italic", 4: "underline", 7: "inverse", 9: "struck"}
_ENDS = {
    22: ("bold", "dim"),
    23: ("italic",),
    24: ("underline",),
    27: ("inverse",),
    29: ("struck",),
}


@dataclass(frozen=True, slots=True)
class _Look:
    """How text looks; colours are numbers of 0 to 15."""

    styles: frozenset[str] = frozenset()
    front: int | None = None
    back: int | None = None

    @property
    def classes(self) -> str:
        names = [f"ansi-{name}" for name in sorted(self.styles)]
        names += [] if self.front is None else [f"ansi-{self.front}"]
        names += [] if self.back is None else [f"ansi-on-{self.back}"]
        return " ".join(names)


_PLAIN = _Look()


def ansi(text: str) -> Markup:
    """The text with its colours, safe within an element that keeps white space."""
    return Markup("\n".join(_lines(text)))  # noqa: S704  (see _lines)


def ansi_lines(text: str) -> list[Markup]:
    """The same by lines, each of which stands on its own."""
    return [Markup(line) for line in _lines(text)]  # noqa: S704  (see _lines)


def _lines(text: str) -> list[str]:
    """Everything in them is escaped, and the tags are ours."""
    lines, line = list[str](), list[str]()
    for look, part in _joined(_parts(text)):
        opening = _opening(look)
        first, *more = visible(part).split("\n")
        line.append(_piece(opening, first))
        for piece in more:
            lines.append("".join(line))
            line = [_piece(opening, piece)]
    return [*lines, "".join(line)]


def without_escapes(text: str) -> str:
    """What is left to read of the text."""
    return _ESCAPE.sub("", text)


def _piece(opening: str, text: str) -> str:
    return f"{opening}{escape(text)}</span>" if opening and text else escape(text)


@lru_cache(maxsize=1024)
def _opening(look: _Look) -> str:
    return "" if look == _PLAIN else f'<span class="{look.classes}">'


def _parts(text: str) -> Iterator[tuple[_Look, str]]:
    look, start = _PLAIN, 0
    for match in _ESCAPE.finditer(text):
        yield look, text[start : match.start()]
        start = match.end()
        if match["end"] == "m":
            look = _after(look, match["parameters"].split(";", _MOST_PARAMETERS))
    yield look, text[start:]


def _joined(parts: Iterator[tuple[_Look, str]]) -> Iterator[tuple[_Look, str]]:
    """Neighbours that look the same are one: a toggle that changes nothing costs no tag."""
    current, texts = _PLAIN, list[str]()
    for look, text in parts:
        if text and look != current:
            yield current, "".join(texts)
            current, texts = look, []
        texts.append(text)
    yield current, "".join(texts)


def _after(look: _Look, parameters: Sequence[str]) -> _Look:
    """The look after an SGR sequence; what it does not know changes nothing."""
    rest = iter(parameters[:_MOST_PARAMETERS])
    for parameter in rest:
        first, *more = parameter.split(":")
        code = _number(first)
        if code is None:
            continue
        if code in (38, 48):
            colour = _colour(iter(more[:1] + more[1:][-3:]) if more else rest)
            look = _with(look, colour, is_front=code == 38)
        else:
            # 4:0 takes the line away; 4:3 is one with waves.
            look = _simple(look, 24 if (code, more[:1]) == (4, ["0"]) else code)
    return look


def _simple(look: _Look, code: int) -> _Look:
    if code == 0:
        return _PLAIN
    if code in _STYLES:
        return replace(look, styles=look.styles | {_STYLES[code]})
    if code in _ENDS:
        return replace(look, styles=look.styles.difference(_ENDS[code]))
    return _coloured(look, code)


def _coloured(look: _Look, code: int) -> _Look:
    tens, colour = divmod(code, 10)
    if code in (39, 49):
        return _with(look, None, is_front=code == 39)
    if colour > 7 or tens not in (3, 4, 9, 10):
        return look
    if tens in (9, 10):
        colour += 8
    return _with(look, colour, is_front=tens in (3, 9))


def _with(look: _Look, colour: int | None, *, is_front: bool) -> _Look:
    return replace(look, front=colour) if is_front else replace(look, back=colour)


def _colour(values: Iterator[str]) -> int | None:
    """One of 256 by its number (5), or by red, green and blue (2)."""
    kind = next(values, "")
    if kind == "5":
        index = _number(next(values, "none"))
        return None if index is None or index > 255 else of_table(index)
    if kind == "2":
        numbers = [_number(next(values, "none")) for _ in range(3)]
        levels = [number for number in numbers if number is not None and number <= 255]
        return nearest(*levels) if len(levels) == 3 else None
    return None


def _number(text: str) -> int | None:
    """0 for none, which is what terminals take."""
    if text == "":
        return 0
    return int(text) if _NUMBER.fullmatch(text) else None

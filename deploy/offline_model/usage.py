"""How a skill's script is called, read from the command lines in its SKILL.md."""

import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

_COMMAND = re.compile(r"(?:^|[\s/`])(?P<script>scripts/[\w./-]+\.\w+)(?P<words>[^`\n]*)")
_CONTINUED = re.compile(r"\\\n\s*")
_PLACEHOLDER = re.compile(r"<[^>]+>|\{[^}]+\}|[A-Z][A-Z0-9_-]+")
_FILE_NAME = re.compile(r"[^\s=]*\w\.[A-Za-z][A-Za-z0-9]{0,4}")
_OUTPUT_FLAGS = ("-o", "--output", "--out")
_OUTPUT_NAMES = ("out", "result", "dest")
_NOTHING = ("options", "flags")


@dataclass(frozen=True, slots=True)
class Word:
    """A word of the command line. A place is filled: with a file, or with as many as there are."""

    text: str
    is_place: bool = False
    is_many: bool = False


@dataclass(frozen=True, slots=True)
class Option:
    """``--kind bar|line``: flag, choices; ``--on KEYS``: flag, placeholder."""

    flag: str
    placeholder: str = ""
    choices: tuple[str, ...] = ()
    is_required: bool = False

    @property
    def name(self) -> str:
        return self.flag.lstrip("-")


@dataclass(frozen=True, slots=True)
class Usage:
    """``flags`` are those of the first example that take no value: its author's usual choice."""

    script: str | None = None
    words: tuple[Word, ...] = (Word("FILE", is_place=True),)
    options: tuple[Option, ...] = ()
    flags: tuple[str, ...] = ()
    output_flag: str | None = None
    output_name: str | None = None

    @property
    def places(self) -> Sequence[Word]:
        return tuple(word for word in self.words if word.is_place)

    @property
    def takes_many(self) -> bool:
        return len(self.places) > 1 or any(word.is_many for word in self.places)


def read_usage(text: str) -> Usage:
    """The usage of the script that a SKILL.md shows first; of an unnamed one when it shows none."""
    lines = list(_command_lines(text))
    if not lines:
        return Usage()
    script = lines[0][0]
    own = [words for name, words in lines if name == script]
    synopsis = next((words for words in own if _is_synopsis(words)), None)
    example = next((words for words in own if words and not _is_synopsis(words)), "")
    items = _example_items(own[0]) if synopsis is None else list(_items(synopsis))
    options = tuple(_options(items))
    output = next((option for option in options if option.flag in _OUTPUT_FLAGS), None)
    return Usage(
        script=script,
        words=tuple(_words(items)),
        options=tuple(option for option in options if option is not output),
        flags=tuple(_flags(_example_items(example), options)),
        output_flag=output.flag if output else None,
        output_name=_output_name(output),
    )


def _command_lines(text: str) -> Iterator[tuple[str, str]]:
    for found in _COMMAND.finditer(_CONTINUED.sub(" ", text)):
        yield found["script"], re.split(r"\s#\s", found["words"])[0].strip()


def _is_synopsis(words: str) -> bool:
    return "[" in words or any(
        _PLACEHOLDER.fullmatch(word) for word in words.split() if not word.startswith("-")
    )


def _items(words: str) -> Iterator[str]:
    """The parts of a synopsis: what stands in brackets is one."""
    part, depth = "", 0
    for sign in f"{words} ":
        depth += (sign == "[") - (sign == "]")
        if not sign.isspace() or depth > 0:
            part += sign
        elif part:
            yield part
            part = ""


def _example_items(words: str) -> list[str]:
    try:
        return shlex.split(words, comments=True)
    except ValueError:  # a quotation mark without its twin
        return words.split()


def _options(items: Sequence[str]) -> Iterator[Option]:
    for item, following in pairwise([*items, ""]):
        is_optional = item.startswith("[") and item.endswith("]")
        flag, _, value = (item[1:-1] if is_optional else item).partition(" ")
        if not flag.startswith("-"):
            continue
        if not is_optional and not following.startswith(("-", "[")):
            value = following
        choices = tuple(value.split("|")) if "|" in value else ()
        yield Option(flag, value, choices, is_required=not is_optional and bool(value))


def _words(items: Sequence[str]) -> Iterator[Word]:
    """What stands before, between and after the options: places, and words as they are."""
    previous = ""
    for item in items:
        belongs_to_option = previous.startswith("-")
        previous = item
        is_many = "..." in item
        bare = re.sub(r"\[[^\]]*=\]", "", item).strip("[]").replace("...", "").strip()
        if not bare or bare.startswith("-") or belongs_to_option or bare.lower() in _NOTHING:
            continue
        if item.startswith("[") and item.endswith("]") and not is_many:
            continue  # it may be left out
        yield _word(bare, is_many=is_many)


def _word(text: str, *, is_many: bool) -> Word:
    is_placeholder = bool(_PLACEHOLDER.fullmatch(text))
    name = text.strip("<>{}")
    if is_placeholder and name.lower().startswith(_OUTPUT_NAMES):
        return Word("output")
    is_output = text.lower().rpartition("/")[2].startswith(_OUTPUT_NAMES)
    is_file = bool(_FILE_NAME.fullmatch(text)) and not is_output
    return Word(name, is_place=is_placeholder or is_file, is_many=is_many)


def _flags(items: Sequence[str], options: Sequence[Option]) -> Iterator[str]:
    with_value = {option.flag for option in options if option.placeholder}
    for item, following in pairwise([*items, "-"]):
        if item.startswith("--") and following.startswith("-") and item not in with_value:
            yield item


def _output_name(output: Option | None) -> str | None:
    """The default that the synopsis shows, as in ``-o clean.csv``."""
    if output is None or _PLACEHOLDER.fullmatch(output.placeholder):
        return None
    return output.placeholder or None

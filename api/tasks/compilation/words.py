"""What a model can only have read in the data.

Every word of a run belongs to whoever said it first: the person who gave the task, the model, or
the result of a call. A word in a call that a result said first depends on the data. What results
say of skills and tools is the same whatever the data, and nobody's word.
"""

import re
from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from itertools import islice

from activities.plans.dataflow import told_in
from activities.sandbox.base import INPUT_FOLDER, OUTPUT_FOLDER
from activities.store.reading.runs import RecordedRun
from api.tasks.compilation.natures import Nature, Tools
from api.tasks.compilation.said import Said

# What may be the name of a file, or some other run of characters.
_FILE = re.compile(r"[^\s\"'`<>|:,;()\[\]{}=]+")
_WORD = re.compile(r"[^\W_]+(?:[_.,:'’+-]+[^\W_]+)*")
_PART = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+|[^\W\d_A-Za-z]+")
_OUTPUT = re.compile(r"<output>\n(.*)\n</output>", re.DOTALL)
_ERROR = re.compile(r"^Error: .*", re.MULTILINE)
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
# Variables of the sandbox.
_VARIABLE = re.compile(r"\b(?:AGENTOS|INPUT)_[A-Z0-9_]+")
_URL = re.compile(
    r"(?:https?://[\w.:\[\]-]+)?/api/v1/(?:artifacts|files)/[0-9a-f-]{36}", re.IGNORECASE
)

_LEAST_LETTERS = 3
_SHOWN_CHARACTERS = 100
# The message before all that a model says.
_IN_PROMPT = 1
# To be taken for another number rounded off, one must say so much of it.
_LEAST_DIGITS = 3

# Words that stand in any text about tables and files, and in any text in English.
_COMMON_WORDS = """
    about after all also and any are been before both but can data each file files first for from
    had has have how into its last less many more most new not none number numbers off one only
    other our out over per report result results row rows same some such table tables text than
    that the their them then there these they this those three time total two type types under
    use used value values was were what when where which who why will with without you your
    chart column columns count input list name names output summary title
"""
_COMMON = frozenset(_COMMON_WORDS.split())
# What code says to open a file, and the like.
_CODE_WORDS = """
    rb wb ab rt wt at utf utf8 utf-8 utf-8-sig latin-1 ascii strict replace ignore index columns
    records coerce raise left inner outer right main name
"""
_COMMON_IN_CODE = frozenset(_CODE_WORDS.split())

_IS_READ = (
    "{word!r} is what the model read in {place}, and the prompt does not have it: for other data it"
    " may be wrong"
)
_IS_WORKED_OUT = (
    "{word!r} was written by a model that had read data, and the prompt does not have it: for other"
    " data it may be wrong"
)
_IS_OF_THIS_RUN = "{word!r} is the id of something that belongs to this run only"


@dataclass(frozen=True, slots=True)
class _Origin:
    """Who said a word first, in which message. ``place`` is the result that did."""

    seq: int
    place: str | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """What the prompt of a node is made of: what was ``given`` before anything was known of the
    data, and what was ``heard`` of it since, each with its place. ``shared`` was given to all nodes
    of a plan."""

    given: tuple[str, ...] = ()
    heard: tuple[tuple[str, str], ...] = ()
    shared: tuple[str, ...] = ()


class Words:
    """The words of a run. ``names`` are those of its files, which are nobody's words; ``told`` is
    what a node was told. ``known`` are the words of what nodes share, to be looked at once."""

    def __init__(
        self,
        run: RecordedRun,
        tools: Tools,
        names: Collection[str],
        told: Told | None = None,
        known: dict[tuple[str, ...], dict[str, _Origin]] | None = None,
    ) -> None:
        # A name without a suffix may as well be a word.
        self._names = frozenset(name for name in (*names, *run.inputs) if "." in name)
        self._origins: dict[str, _Origin] = {}
        self._numbers: list[tuple[Decimal, int, str]] = []
        self._first_data: int | None = None
        told = told or _told(run)
        self._share(told.shared, {} if known is None else known)
        self._claim((*told.given, *run.inputs), _Origin(0))
        for place, text in told.heard:
            self._hear(text, _Origin(_IN_PROMPT, place))
        calls = {call.seq: call for call in run.calls}
        for message in run.messages:
            call = calls.get(message.seq)
            if message.role in ("user", "assistant"):
                self._claim((message.content, *message.arguments), _Origin(message.seq))
            elif message.role == "tool" and call and tools.nature(call) is not Nature.MEANS:
                origin = _Origin(message.seq, f"the result of call {call.name}")
                self._read(message.content, origin)
        self._numbers.sort()

    def dependence(self, said: Said, seq: int) -> str | None:
        """What of a text, said in message ``seq``, can only come from the data, as a sentence."""
        if (found := _ID.search(said.text)) and not self.has(found.group()):
            return _IS_OF_THIS_RUN.format(word=found.group())
        words = list(self._words(said.text))
        is_alone = len(words) == 1
        for word in words:
            if _is_common(word, said, is_alone=is_alone):
                continue
            if found_in := self._place_of(word, seq):
                return _IS_READ.format(word=word[:_SHOWN_CHARACTERS], place=found_in)
            if said.kind == "text" and self._is_worked_out(word, seq):
                return _IS_WORKED_OUT.format(word=word[:_SHOWN_CHARACTERS])
        return None

    def has(self, text: str) -> bool:
        """Whether the person who gave the task said all of a text."""
        words = [word.casefold() for word in self._words(text)]
        origins = [self._origins.get(word) for word in words]
        return bool(words) and all(origin is not None and origin.seq == 0 for origin in origins)

    def _share(
        self, texts: tuple[str, ...], known: dict[tuple[str, ...], dict[str, _Origin]]
    ) -> None:
        if texts not in known:
            self._claim(texts, _Origin(0))
            known[texts] = self._origins
        self._origins = dict(known[texts])

    def _claim(self, texts: Iterable[str], origin: _Origin) -> None:
        for text in texts:
            for word in self._words(text):
                self._claim_word(word, origin)

    def _claim_word(self, word: str, origin: _Origin) -> bool:
        """Whether nobody has said it before."""
        if (key := word.casefold()) in self._origins:
            return False
        self._origins[key] = origin
        for part in _parts(word):
            self._origins.setdefault(part.casefold(), origin)
        return True

    def _read(self, content: str, origin: _Origin) -> None:
        """What a call said. Lines of our own about it, and the names of files, say nothing."""
        said = [found.group(1) for found in _OUTPUT.finditer(content)] or []
        text = "\n".join([*said, *_ERROR.findall(content)])
        if not said and not content.startswith(("Error: ", "File '", "Done.")):
            text = content
        self._hear(text, origin)

    def _hear(self, text: str, origin: _Origin) -> None:
        if self._first_data is None and text.strip():
            self._first_data = origin.seq
        for word in self._words(text):
            if self._claim_word(word, origin) and (number := _number(word)) is not None:
                self._numbers.append((number, origin.seq, origin.place or ""))

    def _words(self, text: str) -> Iterator[str]:
        yield from (found.group() for found in _WORD.finditer(self._without_names(text)))

    def _without_names(self, text: str) -> str:
        text = _VARIABLE.sub(" ", _URL.sub(" ", text))
        for folder in (INPUT_FOLDER, OUTPUT_FOLDER):
            text = text.replace(f"{folder}/", " ")
        return _FILE.sub(self._unless_name, text)

    def _unless_name(self, found: re.Match[str]) -> str:
        text = found.group()
        name = text.rstrip(".").removeprefix("./")
        return " " if name in self._names else text

    def _place_of(self, word: str, seq: int) -> str | None:
        key = word.casefold()
        if (origin := self._origins.get(key)) is not None and origin.place:
            return origin.place
        if origin is None or origin.seq > 0:
            if (number := _number(word)) is not None:
                return self._rounded(number, seq)
            return self._place_of_parts(word)
        return None

    def _place_of_parts(self, word: str) -> str | None:
        """The result with a part of a word of which the model has made up no other part."""
        said = [
            self._origins.get(part.casefold())
            for part in _parts(word)
            if len(part) >= _LEAST_LETTERS and part.casefold() not in _COMMON
        ]
        if not all(origin and (origin.place or origin.seq == 0) for origin in said):
            return None
        return next((origin.place for origin in said if origin and origin.place), None)

    def _rounded(self, number: Decimal, seq: int) -> str | None:
        """The result before message ``seq`` with a number that this one is, rounded off."""
        exponent = number.as_tuple().exponent
        if len(number.as_tuple().digits) < _LEAST_DIGITS or not isinstance(exponent, int):
            return None
        half = Decimal(1).scaleb(exponent) / 2
        first = bisect_left(self._numbers, (number - half,))
        for other, read_at, place in islice(self._numbers, first, None):
            if other > number + half:
                return None
            if other != number and read_at < seq:
                return place
        return None

    def _is_worked_out(self, word: str, seq: int) -> bool:
        """Whether a number was written for the first time, by who had read data before."""
        origin = self._origins.get(word.casefold())
        is_new = origin is not None and origin.seq == seq and not origin.place
        has_read = self._first_data is not None and self._first_data < seq
        return is_new and has_read and _number(word) is not None


def _told(run: RecordedRun) -> Told:
    """What the person who gave the task has said. A node may be looked at by itself, too."""
    prompt, results = told_in(run.prompt)
    profile = run.definition.get("profile")
    values = profile.values() if isinstance(profile, dict) else ()
    given = (prompt, *(value for value in values if isinstance(value, str)))
    return Told(given, (("the results of other nodes", results),) if results else ())


def _is_common(word: str, said: Said, *, is_alone: bool) -> bool:
    key = word.casefold()
    if (number := _number(word)) is not None:
        return len(number.normalize().as_tuple().digits) == 1  # As people choose them: 5, 10, 0.2
    if said.kind == "code" and (key in _COMMON_IN_CODE or len(key) == 1):
        return True
    return not is_alone and (key in _COMMON or len(key) < _LEAST_LETTERS)


def _parts(word: str) -> Iterator[str]:
    parts = _PART.findall(word)
    if len(parts) > 1 and _number(word) is None:
        yield from parts


def _number(word: str) -> Decimal | None:
    if not word[0].isdigit():
        return None
    text = word.replace(",", "") if re.fullmatch(r"\d{1,3}(,\d{3})+(\.\d+)?", word) else word
    if not _NUMBER.fullmatch(text):
        return None
    try:
        return Decimal(text)
    except InvalidOperation:
        return None

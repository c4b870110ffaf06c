"""The fingerprint of a failure: the same for all that fail in the same way.

It is made of parts that people are shown, so that they see why two failures are one group: of the
message, what differs from task to task is masked.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from pydantic import JsonValue

from workflows.states import TaskType

# Of the way in which fingerprints are made. Those of an earlier one stay as they are: a group that
# people know must not fall apart when the masks are improved.
VERSION = 1

# So much of a masked message is kept.
_MASKED_CHARACTERS = 500
# Of the digest; 64 bits keep a million groups apart.
FINGERPRINT_DIGITS = 16

# Words that are an id if they have a digit, and hexadecimal ones, which may have none.
_ID_CHARACTERS = 8
_HEX_ID_CHARACTERS = 6
_HEX = re.compile(r"[0-9a-fA-F]+")
_NUMBER = re.compile(r"\d++")

# What is taken out, in this order at each place. No alternative looks at a character more often
# than a fixed number of times: what people, models and scripts say is hostile now and then, and
# what gives nothing back (``++``, ``(?>...)``), behind a look at what comes before, keep the whole
# in linear time.
_MASKS = re.compile(
    r"""
    (?P<quoted> (?<!\\)"(?>(?:\\.|[^"\\\n])*)"
              | (?<![\w\\])'(?>(?:\\.|[^'\\\n]|(?<=\w)'(?=\w))*)'
              | `[^`\n]*+`
              | [“«„][^”»“\n]*+[”»“] )
  | (?P<url> (?<![\w+.-])[A-Za-z][A-Za-z0-9+.-]{0,30}+://[^\s"'<>`]*+ )
  | (?P<id> (?<!\w)[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}(?!\w)
          | (?<!\w)\d{4}-\d\d-\d\d
            (?>(?:[T\ ]\d\d:\d\d(?>(?::\d\d(?>(?:\.\d++)?))?)(?>(?:Z|[+-]\d\d:?\d\d)?))?)(?!\w)
          | (?<![\w.])[+-]?\d++(?>(?:[.,:]\d++)*)(?>(?:[eE][+-]?\d++)?)(?!\w) )
  | (?P<path> (?<![\w.~@%+/\\-])(?>(?:[A-Za-z]:)?)[\w.~@%+-]*+(?>(?:[/\\]++[\w.~@%+-]*+)+) )
  | (?P<word> \w++ )
    """,
    re.VERBOSE,
)
# Several masked numbers in a row, such as those of a list, are one.
_ROW = re.compile(r"#(?>(?:[\s.,:;]*+#)*)")
_SPACE = re.compile(r"\s++")
_MARKS = {"quoted": "'...'", "url": "<url>", "id": "#", "path": "<path>"}


@dataclass(frozen=True, slots=True)
class Parts:
    """What a fingerprint is made of. ``step`` is the part that failed, None where it is the task
    itself; ``runs`` the skill, the tool or the kind of code or node behind it. ``message`` is
    masked."""

    version: int
    type: TaskType
    step: str | None
    runs: str | None
    code: str
    message: str

    @classmethod
    def of(
        cls, task_type: TaskType, step: str | None, runs: str | None, code: str, message: str
    ) -> "Parts":
        return cls(VERSION, task_type, step, runs, code, masked(message))

    @property
    def document(self) -> Mapping[str, JsonValue]:
        return asdict(self)

    @property
    def fingerprint(self) -> str:
        """16 hexadecimal digits."""
        text = json.dumps(asdict(self), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:FINGERPRINT_DIGITS]


def masked(message: str) -> str:
    """A message without numbers, ids, times, paths, URLs and quoted texts, in time that is linear
    in its length."""
    text = _MASKS.sub(_mask, message)
    text = _SPACE.sub(" ", _ROW.sub("#", text)).strip()
    return text[:_MASKED_CHARACTERS]


def _mask(found: re.Match[str]) -> str:
    kind = found.lastgroup or ""
    if kind != "word":
        return _MARKS[kind]
    word = found[0]
    has_digit = _NUMBER.search(word) is not None
    is_hex = _HEX.fullmatch(word) is not None
    if len(word) >= _ID_CHARACTERS and (has_digit or is_hex):
        return "#"
    if len(word) >= _HEX_ID_CHARACTERS and has_digit and is_hex:
        return "#"
    return _NUMBER.sub("#", word)

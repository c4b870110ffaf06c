"""Which encoding a text file is in: by its mark, as UTF-8, else a guess that says how sure it is.

Every skill that reads text carries this same module, because a skill's folder stands alone.
"""

import codecs
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
CHUNK_BYTES = 1 << 20
SAMPLE_BYTES = 65_536
UTF_16_ZEROS = 0.4  # the share of high bytes that are zero, if there is any Latin text
SAMPLE_LINES = 2_000
FALLBACK = "cp1252"
# Of readings that are equally good the earlier one is taken.
GUESSED = (
    FALLBACK, "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp874",
    "iso8859_2", "iso8859_15", "koi8_r", "cp866", "cp850", "cp437", "mac_roman",
    "cp932", "gb18030", "big5", "cp949", "euc_jp",
)  # fmt: skip
# Where nothing else is foreign, Windows' own signs are likelier than any letters.
SIGNS = frozenset("€£¥°–—’‘“”„…•·±©®™§«»\u00a0²³µ½¼¾×÷¿¡")
WORD = re.compile(r"[^\s\d,;:|.\"'()/\-]+")
FOREIGN_LINE = re.compile(rb"[^\r\n]*[\x80-\xff][^\r\n]*")
# Signs that real text hardly uses, but a wrong reading of letters often has.
WRONG_SIGNS = "¤¬¦¶¨¸"
# Written together with any other script.
COMPANIONS = frozenset({"CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "FULLWIDTH"})


class NotText(Exception):
    """The file holds bytes that no text has, first in that line."""

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line


@dataclass(frozen=True)
class Encoding:
    """``confidence`` is 1 where the encoding is certain, else a share; ``others`` are as likely."""

    name: str
    confidence: float = 1.0
    others: list[str] = field(default_factory=list)

    @property
    def is_certain(self) -> bool:
        return self.confidence == 1

    @property
    def note(self) -> str | None:
        """What to tell a person about a guess; None where there is nothing to doubt."""
        if self.is_certain:
            return None
        others = f"; as likely: {', '.join(self.others)}" if self.others else ""
        return (
            f"The encoding {self.name} is a guess (confidence {self.confidence:.0%}{others}). "
            "Check the letters with accents."
        )


def detect(path: Path) -> Encoding:
    """Look at the whole file.

    Raises:
        NotText: it holds a NUL byte, and no mark that would explain it.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    is_utf8 = True
    lines = 1
    with path.open("rb") as file:
        chunk = file.read(CHUNK_BYTES)
        for mark, name in MARKS:
            if chunk.startswith(mark):
                return Encoding(name)
        while chunk:
            if b"\0" in chunk:
                if lines == 1 and (name := utf_16(path, chunk)):
                    return Encoding(name, 0.95)
                raise NotText(lines + chunk[: chunk.index(b"\0")].count(b"\n"))
            lines += chunk.count(b"\n")
            is_utf8 = is_utf8 and can_decode(decoder, chunk)
            chunk = file.read(CHUNK_BYTES)
    is_utf8 = is_utf8 and can_decode(decoder, b"", final=True)
    return Encoding("utf-8") if is_utf8 else guess(path, foreign_lines(path))


def utf_16(path: Path, chunk: bytes) -> str | None:
    """The byte order of UTF-16 without a mark: where every other byte of the first ones is zero."""
    for name, zeros, others in (
        ("utf-16-le", chunk[1::2], chunk[::2]),
        ("utf-16-be", chunk[::2], chunk[1::2]),
    ):
        if (
            zeros.count(0) > UTF_16_ZEROS * len(zeros)
            and not others.count(0)
            and decodes(path, name)
        ):
            return name
    return None


def can_decode(decoder: codecs.IncrementalDecoder, chunk: bytes, *, final: bool = False) -> bool:
    try:
        decoder.decode(chunk, final)
    except UnicodeDecodeError:
        return False
    return True


def foreign_lines(path: Path) -> bytes:
    """Some of the lines with other bytes than ASCII: the rest says nothing."""
    sample = b""
    with path.open("rb") as file:
        while len(sample) < SAMPLE_BYTES and (chunk := file.read(CHUNK_BYTES)):
            if not chunk.isascii():
                lines = islice(FOREIGN_LINE.finditer(chunk), SAMPLE_LINES)
                sample += b"".join(found[0][:SAMPLE_BYTES] + b"\n" for found in lines)
    return sample[:SAMPLE_BYTES]


@dataclass(frozen=True)
class Candidate:
    """One way to read the sample; ``oddness``, ``mess`` and ``likeness`` to a language: 0 to 1."""

    name: str
    text: str
    oddness: float
    mess: float
    likeness: float

    @property
    def rank(self) -> tuple[float, int, float, int]:
        """The least is the best. The shares are coarse, since short texts say little."""
        likeness, mess = int(self.likeness * 4), round(self.mess, 1)
        return (round(self.oddness, 2), -likeness, mess, GUESSED.index(self.name))


def guess(path: Path, sample: bytes) -> Encoding:
    """The reading with the fewest oddly placed letters, of those a detector finds possible."""
    if {c for c in sample.decode(FALLBACK, "replace") if not c.isascii()} <= SIGNS:
        return Encoding(FALLBACK, 0.9)
    ranked = sorted(candidates(sample), key=lambda candidate: candidate.rank)
    while ranked and not decodes(path, ranked[0].name):
        ranked.pop(0)
    if not ranked:
        return Encoding(FALLBACK, 0.0)
    best = ranked[0]
    rivals = [c for c in ranked if c.rank[:3] == best.rank[:3] and c.text != best.text]
    sure = (1 - best.oddness) * (1 - best.mess) / (1 + len({rival.text for rival in rivals}))
    # Bytes without a mark are never certain.
    return Encoding(best.name, min(round(sure, 2), 0.99), [rival.name for rival in rivals])


def decodes(path: Path, name: str) -> bool:
    """Whether the whole file can be read so, of which only a sample was looked at."""
    decoder = codecs.getincrementaldecoder(name)()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            if not can_decode(decoder, chunk):
                return False
    return can_decode(decoder, b"", final=True)


def candidates(sample: bytes) -> Iterator[Candidate]:
    found: dict[str, tuple[float, float]] = {}
    try:
        # Here, for it is not always installed, and hardly ever needed.
        from charset_normalizer import from_bytes  # noqa: PLC0415
    except ModuleNotFoundError:
        pass
    else:
        for match in from_bytes(sample, cp_isolation=list(GUESSED)):
            for same in (match, *match.submatch):
                found[same.encoding] = (match.chaos, match.coherence)
    for name, (mess, likeness) in (found or {FALLBACK: (0.5, 0.0)}).items():
        try:
            text = sample.decode(name)
        except UnicodeDecodeError:
            continue
        if name in GUESSED:
            yield Candidate(name, text, oddness(text), mess, likeness)


def oddness(text: str) -> float:
    """The share of letters beyond ASCII that stand as they do in no language: 0 to 1 and more."""
    letters = odd = 0
    for word in set(WORD.findall(text)):
        foreign = sum(not character.isascii() for character in word)
        letters += foreign
        if foreign:
            odd += min(foreign, odd_letters(word, foreign))
    return odd / letters if letters else 0.0


def odd_letters(word: str, foreign: int) -> int:
    alphabetic = [character for character in word if character.isalpha()]
    signs = [c for c in word if not c.isascii() and unicodedata.category(c)[0] not in "LM"]
    if any(c in WRONG_SIGNS or unicodedata.category(c) in ("Cc", "Cn", "Co", "So") for c in signs):
        return foreign
    scripts = {unicodedata.name(c, "?").split()[0] for c in alphabetic} - COMPANIONS
    if len(scripts) > 1:
        return foreign
    capitals = sum(c.isupper() for c in alphabetic[1:])
    mixed = 0 < capitals < len(alphabetic) - 1 or (capitals and alphabetic[0].islower())
    return (len(signs) if alphabetic else 0) + (capitals if mixed else 0)

"""Counting and cutting by tokens, without a network.

tiktoken would download its encodings; they are read from the package bpe-openai instead, which
ships the same files.
"""

import asyncio
import base64
import gzip
import importlib.util
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tiktoken import Encoding

DEFAULT_ENCODING = "o200k_base"
MIN_LIMIT_TOKENS = 32

# Longer text is counted at its two ends only: counting takes some 20 ms for 100,000 characters.
COUNTED_CHARACTERS = 200_000
_END_CHARACTERS = COUNTED_CHARACTERS // 2

# Shorter text is counted sooner than it is looked up.
_REMEMBERED_CHARACTERS = 256
_REMEMBERED_TEXTS = 20_000
_REMEMBERED_NAMES = 256  # People may name any model.

_reading = threading.Lock()

# How encodings split text before they merge bytes: from tiktoken_ext/openai_public.py.
_PATTERNS: Mapping[str, str] = MappingProxyType(
    {
        "cl100k_base": (
            r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+|"
            r" ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s"
        ),
        "o200k_base": (
            r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
            r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
            r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"
            r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
            r"\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
        ),
    }
)


@dataclass(frozen=True, slots=True)
class Truncated:
    text: str
    removed_tokens: int


class Tokens:
    """Counts tokens as OpenAI's models do; for others it is an estimate.

    The first use of an encoding reads it, which takes about 0.4 s: a worker that has no turn to
    make does without. Count beside the event loop.
    """

    def __init__(self) -> None:
        self._remembered: dict[tuple[str, int, int], int] = {}

    async def load(self) -> None:
        """Read the default encoding before a transaction in which something is counted."""
        await asyncio.to_thread(load_encoding, DEFAULT_ENCODING)

    def count(self, text: str, model: str | None = None) -> int:
        """The tokens of ``text``; what would be a special token counts as ordinary text.

        Of text above ``COUNTED_CHARACTERS`` it is an estimate.
        """
        encoding = load_encoding(_encoding_name(model))
        if len(text) <= _REMEMBERED_CHARACTERS:
            return len(encoding.encode_ordinary(text))
        # The hash in place of the text: a clash would only make an estimate wrong, and the texts of
        # long conversations need not be kept.
        key = (encoding.name, len(text), hash(text))
        found = self._remembered.get(key)
        if found is None:
            if len(self._remembered) >= _REMEMBERED_TEXTS:
                self._remembered.clear()
            found = self._remembered[key] = _count(encoding, text)
        return found

    def truncate(self, text: str, limit_tokens: int) -> Truncated:
        """Cut the middle out of ``text`` so that at most ``limit_tokens`` are left.

        What was cut is replaced by ``...[TRUNCATED n tokens]...``; ``n`` is an estimate for text
        above ``COUNTED_CHARACTERS``. Half of a surrogate pair becomes U+FFFD.

        Raises:
            ValueError: ``limit_tokens`` is less than ``MIN_LIMIT_TOKENS``.
        """
        if limit_tokens < MIN_LIMIT_TOKENS:
            raise ValueError(f"limit_tokens is {limit_tokens}, less than {MIN_LIMIT_TOKENS}")
        text = _encodable(text)
        # No character takes more than four tokens, for it has at most four bytes.
        if len(text) * 4 <= limit_tokens:
            return Truncated(text, 0)
        encoding = load_encoding(DEFAULT_ENCODING)
        tokens = _count(encoding, text)
        if tokens <= limit_tokens:
            return Truncated(text, 0)
        return _cut(encoding, text, tokens, limit_tokens)


def load_encoding(name: str) -> "Encoding":
    """An encoding of ``_PATTERNS``. First turns that come together have it read once."""
    with _reading:
        return _read_encoding(name)


@cache
def _read_encoding(name: str) -> "Encoding":
    """From bpe-openai's files."""
    from tiktoken import Encoding

    # The package is not imported: that would read every encoding it has.
    package = importlib.util.find_spec("bpe_openai")
    assert package is not None
    assert package.origin is not None
    file = Path(package.origin).parent / "data" / f"{name}.tiktoken.gz"
    words = gzip.decompress(file.read_bytes()).split()
    ranks = dict(zip(map(base64.b64decode, words[::2]), map(int, words[1::2]), strict=True))
    # No special tokens: text from tools and people must not be taken for one.
    return Encoding(name, pat_str=_PATTERNS[name], mergeable_ranks=ranks, special_tokens={})


@lru_cache(maxsize=_REMEMBERED_NAMES)
def _encoding_name(model: str | None) -> str:
    if model is None:
        return DEFAULT_ENCODING
    from tiktoken.model import encoding_name_for_model

    try:
        name = encoding_name_for_model(model)
    except KeyError:
        return DEFAULT_ENCODING
    return name if name in _PATTERNS else DEFAULT_ENCODING


def _count(encoding: "Encoding", text: str) -> int:
    if len(text) <= COUNTED_CHARACTERS:
        return len(encoding.encode_ordinary(text))
    ends = (text[:_END_CHARACTERS], text[-_END_CHARACTERS:])
    counted = sum(len(encoding.encode_ordinary(end)) for end in ends)
    return counted * len(text) // COUNTED_CHARACTERS


def _cut(encoding: "Encoding", text: str, tokens: int, limit_tokens: int) -> Truncated:
    first = encoding.encode_ordinary(text[:_END_CHARACTERS])
    last = encoding.encode_ordinary(text[-_END_CHARACTERS:])
    kept = limit_tokens - len(encoding.encode_ordinary(_marker(tokens)))
    while True:
        head, tail = first[: kept - kept // 2], last[max(0, len(last) - kept // 2) :]
        removed = tokens - len(head) - len(tail)
        shortened = f"{_decode(encoding, head)}{_marker(removed)}{_decode(encoding, tail)}"
        # Pieces that are put together can have more tokens than each had in its place.
        excess = len(encoding.encode_ordinary(shortened)) - limit_tokens
        if excess <= 0:
            return Truncated(shortened, removed)
        kept = max(0, kept - excess)


def _marker(removed_tokens: int) -> str:
    return f"...[TRUNCATED {removed_tokens} tokens]..."


def _decode(encoding: "Encoding", tokens: list[int]) -> str:
    """The text of tokens, without the half characters at its ends."""
    return encoding.decode_bytes(tokens).decode("utf-8", "ignore")


def _encodable(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text

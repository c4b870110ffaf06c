import asyncio
import gzip
import importlib.util
import re
from pathlib import Path

import pytest
import tiktoken
from hypothesis import given
from hypothesis import strategies as st

from activities.tokens import (
    COUNTED_CHARACTERS,
    MIN_LIMIT_TOKENS,
    Tokens,
    _read_encoding,
    load_encoding,
)

# Where tiktoken looks before it downloads: the SHA-1 of the address.
CACHED = {
    "o200k_base": "fb374d419588a4632f3f557e76b4b70aebbca790",
    "cl100k_base": "9b5ad71b2ce5302211f9c61530b329a4922fc6a4",
}
MARKER = re.compile(r"\.\.\.\[TRUNCATED (\d+) tokens\]\.\.\.")

TOKENS = Tokens()
PIECES = ["word ", "\n", "日本", "👩\u200d👧", "é", "0", "   ", "<|endoftext|>", "\0"]
texts = st.text(max_size=400) | st.lists(st.sampled_from(PIECES), max_size=300).map("".join)


@pytest.mark.parametrize("name", CACHED)
def test_the_encodings_are_those_of_tiktoken(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = importlib.util.find_spec("bpe_openai")
    assert package is not None
    assert package.origin is not None
    packed = Path(package.origin).parent / "data" / f"{name}.tiktoken.gz"
    (tmp_path / CACHED[name]).write_bytes(gzip.decompress(packed.read_bytes()))
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))
    original, ours = tiktoken.get_encoding(name), load_encoding(name)
    assert ours._pat_str == original._pat_str
    assert ours._mergeable_ranks == original._mergeable_ranks


async def test_first_turns_that_come_together_have_an_encoding_read_once() -> None:
    _read_encoding.cache_clear()
    await asyncio.gather(TOKENS.load(), *(asyncio.to_thread(TOKENS.count, "x") for _ in range(8)))
    assert _read_encoding.cache_info().misses == 1


@pytest.mark.parametrize(
    ("model", "count"),
    [(None, 4), ("gpt-5-mini", 4), ("some-model", 4), ("gpt-oss-20b", 4), ("gpt-4", 6)],
)
def test_a_model_is_counted_by_its_encoding_or_by_that_of_new_models(
    model: str | None, count: int
) -> None:
    assert TOKENS.count("Привет, мир", model) == count


def test_text_that_looks_like_a_special_token_is_ordinary() -> None:
    assert TOKENS.count("<|endoftext|>") == 7
    assert TOKENS.count("<|endoftext|>" * 100) > 100


def test_a_long_text_is_counted_like_its_pieces_and_once() -> None:
    text = "one two three " * 100
    assert TOKENS.count(text) == TOKENS.count(text) == 301


def test_very_long_text_is_estimated_from_its_ends() -> None:
    text = "one two three " * COUNTED_CHARACTERS
    assert TOKENS.count(text) == pytest.approx(3 * COUNTED_CHARACTERS, rel=0.01)


def test_half_a_surrogate_pair_can_be_counted_and_cut() -> None:
    assert TOKENS.count("\ud83d") > 0
    assert TOKENS.truncate("\ud83d", 40).text == "\N{REPLACEMENT CHARACTER}"
    assert TOKENS.truncate("\ud83d" * 1_000, 40).text.startswith("\N{REPLACEMENT CHARACTER}")


@given(text=texts, limit=st.integers(MIN_LIMIT_TOKENS, 200))
def test_truncated_text_is_within_its_limit_and_keeps_both_ends(text: str, limit: int) -> None:
    total = TOKENS.count(text)
    truncated = TOKENS.truncate(text, limit)
    assert TOKENS.count(truncated.text) <= limit
    if total <= limit:
        assert truncated.text == text
        assert truncated.removed_tokens == 0
        return
    head, removed, tail = MARKER.split(truncated.text)
    assert text.startswith(head)
    assert text.endswith(tail)
    assert len(head) + len(tail) < len(text)
    assert int(removed) == truncated.removed_tokens > 0


def test_pieces_that_have_more_tokens_together_are_within_the_limit_too() -> None:
    assert TOKENS.count(TOKENS.truncate("\t   " * 177, MIN_LIMIT_TOKENS).text) <= MIN_LIMIT_TOKENS


def test_about_as_much_is_kept_as_is_allowed() -> None:
    truncated = TOKENS.truncate("word " * 5_000, 500)
    assert TOKENS.count(truncated.text) > 490
    head, _, tail = MARKER.split(truncated.text)
    assert abs(len(head) - len(tail)) < 20


def test_only_the_ends_of_very_long_text_are_tokenised() -> None:
    text = "head" + " " * 50 * COUNTED_CHARACTERS + "tail"
    truncated = TOKENS.truncate(text, 10_000)
    assert truncated.text.startswith("head ")
    assert truncated.text.endswith(" tail")
    assert truncated.removed_tokens > 70_000


def test_an_end_of_few_tokens_is_kept_whole() -> None:
    text = "word " * COUNTED_CHARACTERS + " " * COUNTED_CHARACTERS
    end = text[-COUNTED_CHARACTERS // 2 :]
    limit = 2 * TOKENS.count(end) + 100
    assert TOKENS.truncate(text, limit).text.endswith(end)


def test_a_limit_that_not_even_the_mark_fits_is_refused() -> None:
    with pytest.raises(ValueError, match="31"):
        TOKENS.truncate("text", MIN_LIMIT_TOKENS - 1)

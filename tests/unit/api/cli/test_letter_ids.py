"""Dead letters named by the beginning of their ids."""

import asyncio
from typing import Any
from uuid import UUID

import pytest

from api.cli.commands.letter_ids import find_letter_id
from api.cli.errors import LetterIdAmbiguous, LetterIdUnknown
from api.client import AsyncClient as Client

_IDS = ["aaaaaaaa-0000-4000-8000-000000000001", "aaaaaaaa-0000-4000-8000-000000000002"]
_OTHER = "bbbbbbbb-0000-4000-8000-000000000003"


class _Letter:
    def __init__(self, letter_id: str) -> None:
        self.id = UUID(letter_id)


class _Page:
    def __init__(self, *ids: str, following: str | None = None) -> None:
        self.items = [_Letter(each) for each in ids]
        self.next_cursor = following


class _Client(Client):
    """Knows three dead letters, on two pages."""

    async def dead_letters(self, params: Any = None) -> Any:
        return _Page(_OTHER) if "cursor" in params else _Page(*_IDS, following="next")


def _find(text: str) -> str:
    return asyncio.run(find_letter_id(_Client(), text))


@pytest.mark.parametrize("text", ["bbbbbb", "BBBBBBBB-0000", " bbbbbbbb0000400080 ", _OTHER])
def test_a_dead_letter_is_found_by_the_beginning_of_its_id(text: str) -> None:
    assert _find(text) == _OTHER


def test_a_beginning_that_two_dead_letters_share_names_them() -> None:
    with pytest.raises(LetterIdAmbiguous, match="that begins with aaaaaa: aaaaaaaa-"):
        _find("aaaaaa")


def test_a_beginning_that_none_has_says_how_many_were_looked_at() -> None:
    with pytest.raises(LetterIdUnknown, match="None of the 3 newest"):
        _find("cccccc")

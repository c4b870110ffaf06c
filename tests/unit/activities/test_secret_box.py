"""Secrets as the database may hold them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.secret_box import SecretBox

KEY, OLD = bytes(range(32)), bytes(range(1, 33))


@given(st.text(st.characters(codec="utf-8")), st.text(st.characters(codec="utf-8")))
def test_what_was_sealed_is_opened_in_its_place(secret: str, place: str) -> None:
    assert SecretBox([KEY]).open(SecretBox([KEY]).seal(secret, place), place) == secret


def test_nothing_of_a_secret_is_to_be_seen() -> None:
    sealed = SecretBox([KEY]).seal("open-sesame", "a")
    assert b"sesame" not in sealed
    assert sealed != SecretBox([KEY]).seal("open-sesame", "a")


def test_a_secret_is_opened_in_no_other_place() -> None:
    assert SecretBox([KEY]).open(SecretBox([KEY]).seal("open-sesame", "a"), "b") is None


def test_an_earlier_key_still_opens() -> None:
    sealed = SecretBox([OLD]).seal("open-sesame", "a")
    assert SecretBox([KEY, OLD]).open(sealed, "a") == "open-sesame"
    assert SecretBox([KEY]).open(sealed, "a") is None


@pytest.mark.parametrize("cut", [0, 5, 12, 20, -1])
def test_what_was_damaged_is_not_opened(cut: int) -> None:
    assert SecretBox([KEY]).open(SecretBox([KEY]).seal("open-sesame", "a")[:cut], "a") is None

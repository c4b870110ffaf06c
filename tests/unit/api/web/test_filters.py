"""How pages write states, times, sizes and money."""

from datetime import UTC, datetime, timedelta
from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.web import filters
from workflows.definitions.webhook import DeliveryState
from workflows.states import AgentState, BreakerState, LetterState, Status


@pytest.mark.parametrize("status", Status)
def test_every_state_of_a_task_has_a_sign_a_word_and_a_colour(status: Status) -> None:
    assert filters.sign_of(status) != "?"
    assert f"</span> {status}</span>" in filters.state(status)


@pytest.mark.parametrize("state", [*AgentState, *BreakerState, *DeliveryState, *LetterState])
def test_every_state_of_other_things_has_a_sign(state: StrEnum) -> None:
    assert "?" not in filters.state(state)


def test_a_state_of_two_words_is_written_with_a_hyphen() -> None:
    assert filters.state(BreakerState.HALF_OPEN).endswith("</span> half-open</span>")


@given(st.text())
def test_a_state_that_is_not_known_is_shown_and_can_do_no_harm(text: str) -> None:
    inside = filters.state(text).removeprefix('<span class="state ').removesuffix("</span>")
    assert inside.count("<") == 2  # That of the sign.


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "–"),
        (-5.0, "0 ms"),
        (0.85, "850 ms"),
        (12.34, "12.3 s"),
        (245.0, "4 min 05 s"),
        (12_000.0, "3 h 20 min"),
        (187_200.0, "2 d 4 h"),
    ],
)
def test_durations_have_the_unit_that_says_most(seconds: float | None, text: str) -> None:
    assert filters.duration(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [(None, "–"), (0, "0 B"), (1_023, "1023 B"), (1_024, "1.0 KiB"), (2**50, "1024.0 TiB")],
)
def test_sizes_are_binary(count: int | None, text: str) -> None:
    assert filters.size(count) == text


@pytest.mark.parametrize(
    ("dollars", "text"), [(None, "–"), (0.0, "$0"), (0.00123, "$0.0012"), (1234.5, "$1,234.50")]
)
def test_small_sums_keep_their_digits(dollars: float | None, text: str) -> None:
    assert filters.money(dollars) == text


def test_an_age_says_how_long_ago_or_in_how_long() -> None:
    now = datetime.now(UTC)
    assert ">2 h ago<" in filters.ago(now - timedelta(hours=2, minutes=5))
    assert ">in 3 min<" in filters.ago(now + timedelta(minutes=3, seconds=30))
    assert filters.ago(None) == "–"


def test_a_long_text_is_cut() -> None:
    assert filters.clip("x" * 300, 10) == "xxxxxxxxx…"
    assert filters.clip("short", 10) == "short"


def test_what_goes_on_tells_since_when_and_what_has_ended_does_not() -> None:
    start = datetime.now(UTC) - timedelta(seconds=30)
    going = filters.lasted(start, None)
    assert f'<time class="lasting" datetime="{start.isoformat(timespec="milliseconds")}">' in going
    assert filters.lasted(start, start + timedelta(seconds=12.3)) == "12.3 s"
    assert filters.lasted(None, None) == "–"

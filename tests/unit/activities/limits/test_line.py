"""Who may go next."""

from collections import Counter
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from activities.limits.line import Waiting, served


def waiting(number: int, *keys: str) -> Waiting:
    return Waiting(UUID(int=number), UUID(int=number), keys)


def numbers(found: object) -> list[int]:
    return [each.holder.int for each in found]  # type: ignore[attr-defined]


def test_the_first_in_the_line_get_the_places() -> None:
    line = [waiting(number, "team") for number in range(5)]
    assert numbers(served(line, {"team": 2})) == [0, 1]


def test_nobody_takes_a_place_that_one_before_could_use() -> None:
    line = [waiting(1, "team", "slow"), waiting(2, "team")]
    assert numbers(served(line, {"team": 1, "slow": 1})) == [1]


def test_who_lacks_another_place_keeps_nobody_waiting() -> None:
    line = [waiting(1, "team", "slow"), waiting(2, "team")]
    assert numbers(served(line, {"team": 1, "slow": 0})) == [2]


def test_a_limit_that_was_lifted_keeps_nobody_waiting() -> None:
    assert numbers(served([waiting(1, "gone")], {})) == [1]


LINES = st.lists(st.sets(st.sampled_from("abc"), min_size=1), max_size=12)
PLACES = st.dictionaries(st.sampled_from("abc"), st.integers(-1, 4))


@given(LINES, PLACES)
def test_no_place_is_given_twice_and_none_is_left_that_somebody_could_use(
    wishes: list[set[str]], places: dict[str, int]
) -> None:
    line = [waiting(number, *sorted(keys)) for number, keys in enumerate(wishes)]
    going = served(line, places)
    used = Counter(key for each in going for key in each.keys)
    for key, most in places.items():
        assert used[key] <= max(most, 0)
    for each in line:
        if each not in going:
            assert any(places.get(key, 99) - used[key] <= 0 for key in each.keys)

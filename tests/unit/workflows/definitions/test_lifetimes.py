"""How long results are kept, as people write it."""

from datetime import timedelta

import pytest
from pydantic import ValidationError

from workflows.definitions.pipeline import Step


def step(cache: object) -> Step:
    return Step.model_validate({"id": "a", "skill": "b", "cache": cache})


@pytest.mark.parametrize(
    ("written", "lifetime"),
    [
        ("1h", timedelta(hours=1)),
        ("1s", timedelta(seconds=1)),
        ("1.5 m", timedelta(seconds=90)),
        ("30d", timedelta(days=30)),
        (600, timedelta(minutes=10)),
        (False, False),
        (None, None),
    ],
    ids=str,
)
def test_a_step_says_how_long_its_result_is_kept(written: object, lifetime: object) -> None:
    found = step(written)
    assert found.cache == lifetime
    assert Step.model_validate(found.model_dump(mode="json", exclude_defaults=True)) == found


@pytest.mark.parametrize(
    "written", [True, "soon", "0s", "0.9s", "31d", "-1h", "1w", [], 1e300, "9" * 12, "nan"], ids=str
)
def test_what_is_no_such_time_is_refused_with_the_range(written: object) -> None:
    with pytest.raises(ValidationError, match=r"write 1h, 7d or false|at least 1s, at most 30d"):
        step(written)


def test_a_step_that_says_nothing_is_written_down_as_before() -> None:
    assert "cache" not in step(None).model_dump(mode="json", exclude_defaults=True)

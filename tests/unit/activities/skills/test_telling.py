"""What takes long is told to whoever listens."""

import asyncio

import pytest

from activities.skills.dependencies import Dependencies
from activities.skills.environments import named
from activities.skills.telling import tell, telling


async def test_it_is_told_to_the_listener_of_the_task_that_prepares() -> None:
    async def prepare(name: str) -> list[str]:
        told: list[str] = []
        with telling(told.append):
            await asyncio.sleep(0)
            tell(f"installing {name}")
            await asyncio.create_task(asyncio.to_thread(tell, f"copying {name}"))
        tell("nobody listens")
        return told

    both = await asyncio.gather(prepare("pandas"), prepare("polars"))
    assert both == [
        ["installing pandas", "copying pandas"],
        ["installing polars", "copying polars"],
    ]


@pytest.mark.parametrize(
    ("requirements", "told"),
    [
        (("pandas>=2,<3", "numpy"), "pandas, numpy"),
        (("a", "b", "c", "d", "e", "f"), "a, b, c, d and 2 more"),
        (("scikit-learn[extra]==1.0 ; python_version > '3'",), "scikit-learn"),
        ((), "what it needs"),
    ],
)
def test_packages_are_told_by_their_names(requirements: tuple[str, ...], told: str) -> None:
    assert named(Dependencies("skill", "where", requirements=requirements)) == told

"""Which steps wait for which, and what runs again when some of them do."""

from collections.abc import Mapping, Sequence

from hypothesis import given
from hypothesis import strategies as st

from workflows.definitions.needs import all_needs_of, needs_of, redone
from workflows.definitions.pipeline import Step


@st.composite
def pipelines(draw: st.DrawFn) -> Sequence[Step]:
    steps: list[Step] = []
    for number in range(draw(st.integers(1, 9))):
        names = [step.id for step in steps]
        some = st.lists(st.sampled_from(names), max_size=3, unique=True) if names else st.just([])
        needs = draw(st.none() | some)
        steps.append(Step(id=f"s{number}", tool="t", needs=needs))
    return steps


def reaches(needs: Mapping[str, Sequence[str]], step: str, other: str) -> bool:
    """Whether a step needs another, however far away: by looking, step by step."""
    return any(before == other or reaches(needs, before, other) for before in needs[step])


@given(pipelines())
def test_a_step_that_names_none_needs_the_one_before_it(steps: Sequence[Step]) -> None:
    needs = needs_of(steps)
    for index, step in enumerate(steps):
        before = tuple(each.id for each in steps[max(0, index - 1) : index])
        assert needs[step.id] == (before if step.needs is None else step.needs)


@given(pipelines())
def test_a_step_needs_all_that_those_need_which_it_needs(steps: Sequence[Step]) -> None:
    needs = needs_of(steps)
    found = all_needs_of(needs)
    for step in needs:
        assert found[step] == {other for other in needs if reaches(needs, step, other)}


@given(pipelines(), st.data())
def test_what_runs_again_is_what_changed_and_all_that_needs_it_and_nothing_else(
    steps: Sequence[Step], data: st.DataObject
) -> None:
    needs = needs_of(steps)
    begin = data.draw(st.sets(st.sampled_from(list(needs))))
    expected = {
        step
        for step in needs
        if step in begin or any(reaches(needs, step, other) for other in begin)
    }
    assert redone(needs, begin) == expected


@given(pipelines(), st.data())
def test_what_keeps_its_result_needs_nothing_that_runs_again(
    steps: Sequence[Step], data: st.DataObject
) -> None:
    needs = needs_of(steps)
    again = redone(needs, data.draw(st.sets(st.sampled_from(list(needs)))))
    before = all_needs_of(needs)
    assert all(before[step].isdisjoint(again) for step in needs if step not in again)


def test_of_a_plain_list_all_runs_again_from_the_first_on() -> None:
    needs = needs_of([Step(id=name, tool="t") for name in "abcd"])
    assert redone(needs, {"c", "b"}) == {"b", "c", "d"}

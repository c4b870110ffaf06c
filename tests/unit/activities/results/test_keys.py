"""Keys of results: what changes them and what does not."""

from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from activities.results.keys import ScriptIngredients, ToolIngredients, lock_of
from activities.sandbox.base import VENV_LOCK, Limits

TEXT = st.text(max_size=5)
NAMES = st.dictionaries(TEXT, TEXT, max_size=4)
ARGUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
LIMITS = st.builds(Limits, memory_bytes=st.integers(1, 3), files=st.integers(1, 3))
SCRIPTS = st.builds(
    ScriptIngredients,
    team_id=st.uuids(),
    sandbox=TEXT,
    python=TEXT,
    command=st.lists(TEXT, max_size=3).map(tuple),
    environment=NAMES,
    inputs=NAMES,
    skills=st.lists(TEXT, max_size=2).map(tuple),
    lock=st.none() | TEXT,
    language=st.none() | TEXT,
    source=st.none() | TEXT,
    network=st.booleans(),
    limits=LIMITS,
)
TOOLS = st.builds(
    ToolIngredients,
    team_id=st.uuids(),
    tool=TEXT,
    digest=TEXT,
    arguments=ARGUMENTS,
    inputs=NAMES,
)


def fields_of(model: type[Any]) -> st.SearchStrategy[str]:
    return st.sampled_from([item.name for item in fields(model)])


@given(SCRIPTS, SCRIPTS, fields_of(ScriptIngredients))
def test_each_ingredient_of_a_script_changes_its_key(
    one: ScriptIngredients, other: ScriptIngredients, field: str
) -> None:
    changed = replace(one, **{field: getattr(other, field)})
    assert (changed.key == one.key) == (changed == one)


@given(TOOLS, TOOLS, fields_of(ToolIngredients))
def test_each_ingredient_of_a_call_changes_its_key(
    one: ToolIngredients, other: ToolIngredients, field: str
) -> None:
    changed = replace(one, **{field: getattr(other, field)})
    assert (changed.key == one.key) == (repr(turned(asdict(changed))) == repr(turned(asdict(one))))


@given(SCRIPTS)
def test_the_order_of_variables_and_inputs_does_not_change_a_key(one: ScriptIngredients) -> None:
    other = replace(one, environment=backwards(one.environment), inputs=backwards(one.inputs))
    assert other.key == one.key


@given(TOOLS)
def test_the_order_of_named_arguments_does_not_change_a_key(one: ToolIngredients) -> None:
    assert replace(one, arguments=turned(one.arguments)).key == one.key


@given(SCRIPTS, st.floats(1, 9_000), st.integers(1, 9_000))
def test_the_time_that_a_step_may_take_does_not_change_its_key(
    one: ScriptIngredients, wall: float, cpu: int
) -> None:
    limits = replace(one.limits, wall_seconds=wall, cpu_seconds=cpu)
    assert replace(one, limits=limits).key == one.key


def test_a_key_stays_what_it_was() -> None:
    """Else all that was kept is lost at an update: a change on purpose changes ``VERSION``, too."""
    tool = ToolIngredients(UUID(int=1), "mcp.a.b", "d", {"a": [1, None, "x"]})
    assert tool.key == "c9b4540752b2b5aa2f0d141ca8ce73a674787305301a0cdbb33f520a4f54558c"


def test_an_environment_counts_by_the_lock_that_it_was_made_from(tmp_path: Path) -> None:
    (tmp_path / VENV_LOCK).write_text("polars==1.0")
    first = lock_of(tmp_path)
    (tmp_path / VENV_LOCK).write_text("polars==1.1")
    assert lock_of(tmp_path) != first


def backwards(names: Mapping[str, str]) -> dict[str, str]:
    return dict(reversed(list(names.items())))


def turned(value: Any) -> Any:
    """Equal as JSON, with each object the other way round; or, done to two, comparable."""
    if isinstance(value, dict):
        return {key: turned(value[key]) for key in sorted(value, reverse=True)}
    return [turned(item) for item in value] if isinstance(value, list) else value

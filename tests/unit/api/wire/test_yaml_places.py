"""Where in a YAML document a value stands."""

from collections.abc import Iterator
from typing import Any

import yaml
from hypothesis import given
from hypothesis import strategies as st

from api.wire.yaml_places import Place, places_in
from workflows.pointers import pointer

_KEYS = st.text("ab/~é ", min_size=1, max_size=5)
_DOCUMENTS = st.dictionaries(
    _KEYS,
    st.recursive(
        st.integers(0, 99),
        lambda children: (
            st.lists(children, min_size=1, max_size=4)
            | st.dictionaries(_KEYS, children, min_size=1)
        ),
        max_leaves=12,
    ),
    min_size=1,
)


def _keys(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The paths of all values in objects."""
    if isinstance(value, dict):
        for key, child in value.items():
            yield (*path, key)
            yield from _keys(child, (*path, key))
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from _keys(child, (*path, index))


@given(_DOCUMENTS, st.booleans())
def test_a_value_is_found_where_its_key_is(document: dict[str, Any], flow: bool) -> None:
    text = yaml.safe_dump(
        document, default_style='"', default_flow_style=flow, allow_unicode=True, width=10_000
    )
    lines = text.split("\n")
    paths = list(_keys(document))
    for path, place in zip(paths, places_in(text, [*map(pointer, paths)]), strict=True):
        assert lines[place.line - 1][place.column - 1 :].startswith(f'"{path[-1]}":')


def test_an_item_of_a_list_is_found_behind_its_dash() -> None:
    text = "steps:\n  - id: a\n  -   id: b\n"
    assert places_in(text, ["/steps/0", "/steps/1"]) == [Place(2, 5), Place(3, 7)]


def test_what_is_not_there_is_placed_with_the_nearest_value_around_it() -> None:
    text = "steps:\n  - id: a\n  - skill: b\n"
    wanted = ["/steps/1/id", "/steps/7", "/steps/0/id/0", "/name", "", "/steps/x"]
    assert places_in(text, wanted) == [
        *(Place(3, 5), Place(1, 1), Place(2, 5)),
        *(Place(1, 1), Place(1, 1), Place(1, 1)),
    ]


def test_everything_in_an_empty_document_is_at_its_start() -> None:
    assert places_in("# nothing\n", ["/steps"]) == [Place(1, 1)]

"""A native tool's arguments: what is wrong with them, and where."""

from activities.tools.registry import Registry


def test_a_wrong_argument_is_pointed_at_whatever_its_name() -> None:
    write_file = Registry().find("write_file")
    found = write_file.problems({"name": "note.txt", "text": "x", "a/b~c": 1})
    assert [pointer for pointer, _ in found] == ["/a~1b~0c"]

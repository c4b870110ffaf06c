"""A native tool's arguments: what is wrong with them, and where."""

from activities.tools.registry import Registry


def test_a_wrong_argument_is_pointed_at_whatever_its_name() -> None:
    write_file = Registry().find("write_file")
    found = write_file.problems({"name": "note.txt", "text": "x", "a/b~c": 1})
    assert [pointer for pointer, _ in found] == ["/a~1b~0c"]


def test_a_tool_for_pipelines_leaves_something_behind_or_says_what_it_reads() -> None:
    """One that is overlooked here would be a step of every pipeline that is compiled."""
    tools = Registry().for_pipelines
    assert {name for name, tool in tools.items() if tool.reads is None} == {"write_file"}


def test_tools_that_tell_of_skills_and_tools_read_no_data() -> None:
    tools = Registry().tools
    assert {name for name, tool in tools.items() if tool.reads == "means"} >= {
        *("find_tools", "list_skills", "load_skill", "read_skill_file")
    }

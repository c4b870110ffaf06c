import re
from uuid import UUID

import pytest

from activities.steps.arguments import MAX_FILES_AT_ONCE, Arguments, Item, steps_read
from activities.store.reading.results import ResultFile, StepResult
from tests.growth import is_about_linear
from workflows.errors.inputs import ReferenceUnresolved

FIRST, SECOND = UUID(int=1), UUID(int=2)
RESULTS = {
    "clean": StepResult(
        0,
        (ResultFile(FIRST, "a.csv", 3, "aa"), ResultFile(SECOND, "sub/b.csv", 3, "bb")),
        '{"rows": 3, "names": ["x", "y z"], "odd key": null}\n',
    ),
    "other": StepResult(2, (ResultFile(SECOND, "a.csv", 3, "bb"),), "plain"),
}


def arguments() -> Arguments:
    return Arguments({"data": "file:1"}, RESULTS)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("plain", ("plain",)),
        ("${inputs.data}", ("/workspace/input/data",)),
        ("--in=${inputs.data}", ("--in=/workspace/input/data",)),
        ("${steps.clean.files['a.csv']}", ("/workspace/input/a.csv",)),
        ("${steps.clean.files['sub/b.csv']}", ("/workspace/input/b.csv",)),
        ("${steps.clean.files}", ("/workspace/input/a.csv", "/workspace/input/b.csv")),
        ("${steps.other.stdout}!", ("plain!",)),
        ("${steps.other.exit_code}", ("2",)),
        ("${steps.clean.json.rows} of ${steps.clean.json.names[1]}", ("3 of y z",)),
        ("${steps.clean.json['odd key']}", ("null",)),
        ("${steps.clean.json.names}", ('["x", "y z"]',)),
        ("$${inputs.data}", ("${inputs.data}",)),
    ],
)
def test_a_reference_becomes_what_it_points_to(text: str, words: tuple[str, ...]) -> None:
    assert arguments().command_line([text]) == words


def test_files_of_the_same_name_lie_beside_each_other() -> None:
    made = arguments()
    first, second = made.command_line(
        ["${steps.clean.files['a.csv']}", "${steps.other.files['a.csv']}"]
    )
    assert first != second
    assert made.files == {
        "data": "file:1",
        "a.csv": f"artifact:{FIRST}",
        "other-a.csv": f"artifact:{SECOND}",
    }


def test_files_of_the_same_longest_name_lie_beside_each_other() -> None:
    """A name that is told apart by more words in front of it must stay one that Linux takes."""
    name = "n" * 251 + ".csv"
    results = {
        step: StepResult(0, (ResultFile(key, name, 3, "aa"),))
        for step, key in (("one", FIRST), ("two", SECOND))
    }
    made = Arguments({}, results)
    words = made.command_line(["${steps.one.files}", "${steps.two.files}"])
    assert words == (f"/workspace/input/{name}", f"/workspace/input/{SECOND}.csv")


def test_a_file_never_hides_an_input_of_the_task() -> None:
    made = Arguments({"a_csv": "file:1", "data": "file:2"}, RESULTS)
    made.command_line(["${steps.clean.files}"])
    assert made.files["data"] == "file:2"
    assert len(made.files) == 4


def test_a_tool_is_given_references_and_values_of_their_own_type() -> None:
    given = {
        "file": "${steps.clean.files['a.csv']}",
        "input": "${inputs.data}",
        "rows": "${steps.clean.json.rows}",
        "nested": [{"text": "${steps.other.stdout} and ${steps.clean.json.rows}"}, 7],
    }
    assert arguments().named(given) == {
        "file": f"artifact:{FIRST}",
        "input": "file:1",
        "rows": 3,
        "nested": [{"text": "plain and 3"}, 7],
    }


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("${steps.clean.files['c.csv']}", "made a.csv, sub/b.csv"),
        ("${steps.clean.json.nothing}", "no 'nothing'"),
        ("${steps.clean.json.names[9]}", "no 9"),
        ("${steps.clean.json.rows.deeper}", "no 'deeper'"),
        ("${steps.other.json}", "not JSON"),
        ("${steps.never.stdout}", "no result"),
    ],
)
def test_a_reference_to_nothing_says_what_is_missing(text: str, reason: str) -> None:
    with pytest.raises(ReferenceUnresolved, match=reason):
        arguments().command_line([text])


@pytest.mark.parametrize("levels", [101, 900, 100_000])
def test_json_that_is_nested_without_end_is_refused(levels: int) -> None:
    printed = "[" * levels + "]" * levels
    made = Arguments({}, {"deep": StepResult(0, (), printed)})
    for resolve in (made.named, lambda text: made.command_line([text])):
        with pytest.raises(ReferenceUnresolved, match="more than 100 levels deep"):
            resolve("${steps.deep.json}")


def test_json_of_a_hundred_levels_can_be_referred_to() -> None:
    printed = "[" * 100 + "]" * 100
    made = Arguments({}, {"deep": StepResult(0, (), printed)})
    assert made.command_line(["${steps.deep.json}"]) == (printed,)


def test_half_a_character_in_json_is_replaced_as_in_what_is_printed() -> None:
    made = Arguments({}, {"odd": StepResult(0, (), '{"text": "a\\ud800b\\u0000c"}')})
    assert made.named("${steps.odd.json}") == {"text": "a?b\ufffdc"}


def test_only_the_output_of_steps_whose_output_is_used_is_read() -> None:
    steps, printing = steps_read(["${steps.a.files}", "${steps.b.json.x}", "${inputs.c}"])
    assert (steps, printing) == ({"a", "b"}, {"b"})


def test_a_placed_file_has_the_name_that_the_step_gives_it() -> None:
    made = arguments()
    made.place({"table.csv": "${steps.clean.files['sub/b.csv']}", "same": "${inputs.data}"})
    assert made.files == {"data": "file:1", "table.csv": f"artifact:{SECOND}", "same": "file:1"}


def test_a_file_that_an_argument_names_gives_way_to_a_placed_one() -> None:
    made = arguments()
    made.place({"a.csv": "${steps.other.files['a.csv']}"})
    [word] = made.command_line(["${steps.clean.files['a.csv']}"])
    assert word == "/workspace/input/clean-a.csv"
    assert made.files["a.csv"] == f"artifact:{SECOND}"


def test_a_placed_file_that_its_step_did_not_make_is_an_error() -> None:
    with pytest.raises(ReferenceUnresolved, match=r"step 'clean' made a\.csv, sub/b\.csv"):
        arguments().place({"x": "${steps.clean.files['missing.csv']}"})


def test_a_star_in_the_name_of_a_file_is_part_of_it_and_no_pattern() -> None:
    file = ResultFile(FIRST, "Q1?.csv", 3, "aa")
    made = Arguments({}, {"split": StepResult(0, (file,), "")})
    words = made.command_line(["${steps.split.files['Q1?.csv']}"])
    assert words == ("/workspace/input/Q1?.csv",)
    with pytest.raises(ReferenceUnresolved, match="; a pattern stands in foreach only"):
        made.command_line(["${steps.split.files['Q*.csv']}"])


def test_the_steps_of_placed_files_are_read() -> None:
    assert steps_read([[], {}, {"x": "${steps.clean.files['a.csv']}"}])[0] == {"clean"}


ITEMS = {
    "each": StepResult(
        0,
        (
            ResultFile(FIRST, "out.csv", 3, "aa", item=0),
            ResultFile(UUID(int=3), "own.csv", 3, "cc", item=0),
            ResultFile(SECOND, "out.csv", 3, "bb", item=1),
        ),
        '{"n": 1}\n[2]\n',
        ('{"n": 1}\n', "[2]\n"),
    ),
    "wordy": StepResult(0, (), "one\n2\n", ("one\n", "2\n")),
    "long": StepResult(0, (), is_cut=True),
}
VALUE = Item(4, {"value": {"rows": [{"name": "x"}], "n": 2}})
FILE = Item(0, {"file": {"id": str(FIRST), "name": "sub/north.csv"}})


def for_item(item: Item | None = None) -> Arguments:
    return Arguments({"north.csv": "file:1"}, ITEMS, item)


@pytest.mark.parametrize(
    ("item", "text", "word"),
    [
        (VALUE, "${item}", '{"rows": [{"name": "x"}], "n": 2}'),
        (VALUE, "${item.rows[0].name}-${index}", "x-4"),
        (Item(0, {"value": "a b"}), "<${item}>", "<a b>"),
        (FILE, "in=${item}", "in=/workspace/input/item-north.csv"),
        (FILE, "${item.name} ${item.stem}", "north.csv north"),
    ],
    ids=["value", "part", "text", "file", "names"],
)
def test_an_item_stands_for_itself(item: Item, text: str, word: str) -> None:
    assert for_item(item).command_line([text]) == (word,)


def test_a_tool_is_given_an_item_as_it_is() -> None:
    given = for_item(VALUE).named({"whole": "${item}", "n": "${item.n}", "at": "${index}"})
    assert given == {"whole": VALUE.content["value"], "n": 2, "at": 4}
    assert for_item(FILE).named("${item}") == f"artifact:{FIRST}"


def test_files_of_all_items_come_in_their_order_and_those_of_one_name_lie_apart() -> None:
    made = for_item()
    words = made.command_line(["${steps.each.files}"])
    names = ("each-0-out.csv", "own.csv", "each-1-out.csv")
    assert words == tuple(f"/workspace/input/{name}" for name in names)
    assert made.files["each-1-out.csv"] == f"artifact:{SECOND}"


def test_what_items_have_printed_is_a_list_or_one_text() -> None:
    words = for_item().command_line(["${steps.each.json}", "${steps.each.json[1][0]}"])
    assert words == ('[{"n": 1}, [2]]', "2")
    assert for_item().command_line(["${steps.wordy.stdout}"]) == ("one\n2",)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("${steps.each.files['out.csv']}", "items 0, 1 of step 'each' have each made one"),
        ("${steps.each.files['out.csv']}", "take all with ${steps.each.files}"),
        ("${steps.each.files['none']}", "step 'each' made out.csv, own.csv"),
        ("${steps.each.files['out.csw']}", "did you mean 'out.csv'?"),
        ("${steps.wordy.json}", "what item 0 of step 'wordy' printed is not JSON"),
        ("${steps.long.stdout}", "have printed more than can be joined"),
        ("${item}", "there is no item"),
    ],
    ids=["ambiguous", "all", "missing", "mistyped", "not-json", "too-long", "no-item"],
)
def test_what_items_do_not_give_is_said(text: str, reason: str) -> None:
    with pytest.raises(ReferenceUnresolved, match=re.escape(reason)):
        for_item().command_line([text])


def test_a_part_that_an_item_lacks_is_said() -> None:
    with pytest.raises(ReferenceUnresolved, match="there is no 'rowz' in the JSON"):
        for_item(VALUE).command_line(["${item.rowz}"])


def many_files(count: int) -> Arguments:
    files = (ResultFile(UUID(int=n), "out.csv", 3, "aa", item=n) for n in range(count))
    return Arguments({}, {"each": StepResult(0, tuple(files))})


def test_the_files_of_many_items_take_no_longer_each_than_those_of_few() -> None:
    assert is_about_linear(
        lambda count: many_files(count).command_line(["${steps.each.files}"]), 8_000
    )


def test_a_command_is_not_given_more_files_at_once_than_it_could_take() -> None:
    reason = "step 'each' made 10,001 files, and at most 10,000 can be given at once"
    with pytest.raises(ReferenceUnresolved, match=reason):
        many_files(MAX_FILES_AT_ONCE + 1).command_line(["${steps.each.files}"])


def test_what_items_have_printed_is_read_once_whatever_refers_to_it() -> None:
    def resolve(count: int) -> None:
        results = {"each": StepResult(0, (), "", ("[1]\n",) * count)}
        words = ["${steps.each.json[0][0]}", "${steps.each.json[1]}"] * (count // 2)
        Arguments({}, results).command_line(words)

    assert is_about_linear(resolve, 1_000)


def test_an_item_that_printed_no_json_keeps_no_other_from_being_referred_to() -> None:
    made = Arguments({}, {"each": StepResult(0, (), "", ("one\n", '{"n": 2}\n'))})
    assert made.named("${steps.each.json[1].n}") == 2


@pytest.mark.parametrize("number", ["NaN", "-Infinity", "1e999"])
def test_a_tool_is_given_no_number_that_is_no_json(number: str) -> None:
    printed = f'{{"rows": [{{"n": {number}}}], "m": 1}}'
    made = Arguments({}, {"odd": StepResult(0, (), printed)})
    with pytest.raises(ReferenceUnresolved, match="NaN and Infinity are in it"):
        made.named({"rows": "${steps.odd.json.rows}"})
    assert made.named("${steps.odd.json.m}") == 1


def test_a_script_is_given_what_an_earlier_one_has_printed_as_python_reads_it() -> None:
    made = Arguments({}, {"odd": StepResult(0, (), "[NaN]")})
    assert made.command_line(["${steps.odd.json}"]) == ("[NaN]",)


@pytest.mark.parametrize(
    ("reference", "reason"),
    [
        ("${steps.a.json.rowsout}", "there is no 'rowsout' in the JSON; did you mean 'rows_out'?"),
        ("${steps.a.json.zzz}", "there is no 'zzz' in the JSON (it has rows_out, list)"),
        ("${steps.a.json.list.n}", "it is a list of 2; take one by [0]"),
        ("${steps.a.json.list[2]}", "the list has 2, counted from 0 on"),
        ("${steps.a.json.rows_out.n}", "it is a number, which has no parts"),
    ],
    ids=["mistyped", "unknown", "name-in-a-list", "too-few", "number"],
)
def test_a_part_that_was_not_printed_is_told_with_what_was(reference: str, reason: str) -> None:
    made = Arguments({}, {"a": StepResult(0, (), '{"rows_out": 5, "list": [1, 2]}')})
    with pytest.raises(ReferenceUnresolved, match=re.escape(reason)):
        made.command_line([reference])

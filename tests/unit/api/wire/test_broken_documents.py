"""What is no YAML or JSON is told in our words, with its place."""

import copy
import pickle
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.wire import json_words, yaml_words
from api.wire.errors import BodyMalformed
from api.wire.json_reader import parse_json
from api.wire.located import Located, Source, located, step_at
from api.wire.written import WrittenFloat, WrittenInt
from api.wire.yaml_reader import parse_yaml
from workflows.definitions.pipeline import Pipeline
from workflows.pointers import Problem

YAML = {
    "nothing": ("", 1, 1, "there is nothing in it"),
    "blanks": (" \n\n", 1, 1, "there is nothing in it"),
    "comments": ("# later\n", 1, 1, "nothing in it but comments"),
    "a tab": ("steps:\n\t- id: a\n", 2, 1, "a tab cannot indent a line: use spaces"),
    "a tab within": ("a:\n  - b: 1\n\t  c: 2\n", 3, 1, "use spaces"),
    "two documents": ("a: 1\n---\nb: 2\n", 2, 1, "a second document begins here"),
    "a list that goes on": ("a: [1, 2\nb: 3\n", 2, 2, "it begins in line 1"),
    "an object that goes on": ("a: {b: 1\n", 2, 1, "in an object in {...} a comma"),
    "a reference in a list": ("args: [${inputs.a}]\n", 1, 9, 'must be in quotes: "${inputs.NAME}"'),
    "a quote in quotes": ("args: ['it's']\n", 1, 12, "the other kind of quotes"),
    "a text that goes on": ('a: "abc\nb: 1\n', 3, 1, "not closed; it begins in line 1"),
    "two colons": ("name: a: b\n", 1, 8, "put a text that holds it in quotes"),
    "no blank after a hyphen": ("steps:\n  -id: a\n    b: c\n", 3, 6, "have a space behind them"),
    "less indented": ("a:\n  b: 1\n c: 2\n", 3, 2, "not indented as those"),
    "no item": ("- a\nb: 1\n", 2, 1, "belongs to no item"),
    "an at": ("a: @x\n", 1, 4, "a text cannot begin with @: put it in quotes"),
    "a backtick": ("a: `x`\n", 1, 4, "cannot begin with `"),
    "a star": ("a: *.csv\n", 1, 5, "cannot begin with * or &"),
    "an escape": ('a: "\\q"\n', 1, 5, "a backslash needs another"),
    "text behind a bar": ("a: |x\n  b\n", 1, 5, "begins on the next line"),
    "a directive": ("%YAML 1.1\na: 1\n", 2, 1, "begins with % must be followed by ---"),
    "a bell": ("a: \x07b\n", 1, 4, "a control character is not taken"),
    "a tag": ("a: !Ref b\n", 1, 4, "the tag !Ref is not taken"),
    "a key twice": ("a: 1\na: 2\n", 2, 1, "the key 'a' appears twice"),
    "an alias": ("a: &x 1\nb: *x\n", 2, 4, "aliases (*name) are not taken"),
}

JSON = {
    "nothing": (b"", 1, 1, "there is nothing in it"),
    "UTF-16": ("{}".encode("utf-16"), 1, 1, "it is not UTF-8"),
    "Latin-1": (b'{"a": "\xe9"}', 1, 8, "it is not UTF-8"),
    "a comma too many": (b'{"a": 1,}', 1, 9, "this comma is one too many"),
    "single quotes": (b"{'a': 1}", 1, 2, "a name must be in double quotes"),
    "a comment": (b'{"a": 1} // x', 1, 10, "something follows"),
    "two values": (b"{}{}", 1, 3, "something follows"),
    "NaN": (b'{"a": NaN}', 1, 7, "a value must begin here"),
    "True": (b'{"a": True}', 1, 7, "a value must begin here"),
    "YAML": (b"a: 1", 1, 1, "a value must begin here"),
    "a key twice": (b'{"a": {"b": 1},\n "a": {"b": 2}}', 2, 2, "the key 'a' appears twice"),
    "a key in other letters": (b'{"a": 1, "\\u0061": 2}', 1, 10, "the key 'a' appears twice"),
    "half of it": (b'{"a":', 1, 5, "it ends too early"),
    "half a text": (b'{"a', 1, 3, "a text is not closed"),
    "a line break": (b'{"a": "x\ny"}', 2, 1, "is written as \\n"),
    "an escape": (b'{"a": "\\q"}', 1, 9, "a backslash in a text is written twice"),
    "a zero": (b'{"a": 01}', 1, 8, "no number of JSON"),
    "no colon": (b'{"a" 1}', 1, 6, "a colon is missing"),
    "no comma": (b'{"a": 1 "b": 2}', 1, 9, "a comma, or the closing }"),
    "no comma in a list": (b"[1 2]", 1, 4, "a comma, or the closing ]"),
}


@pytest.mark.parametrize("name", YAML)
def test_what_is_no_yaml_is_told_in_our_words_with_its_place(name: str) -> None:
    text, line, column, said = YAML[name]
    with pytest.raises(BodyMalformed) as caught:
        parse_yaml(text)
    fields = caught.value.fields
    assert said in str(fields["reason"])
    assert (fields["line"], fields["column"]) == (line, column)


@pytest.mark.parametrize("name", JSON)
def test_what_is_no_json_is_told_in_our_words_with_its_place(name: str) -> None:
    body, line, column, said = JSON[name]
    with pytest.raises(BodyMalformed) as caught:
        parse_json(body)
    fields = caught.value.fields
    assert said in str(fields["reason"])
    assert (fields["line"], fields["column"]) == (line, column)


@given(st.text(alphabet="ab:-[]{}'\"#&*!|>%@`,?\\\n\t $1", max_size=40))
def test_no_word_of_the_parser_of_yaml_gets_through(text: str) -> None:
    try:
        parse_yaml(text)
    except BodyMalformed as error:
        reason = str(error.fields["reason"])
    else:
        reason = ""
    assert not reason.startswith(("found", "did not", "could not", "expected", "while"))


def test_what_nobody_foresaw_is_told_in_our_words_as_well() -> None:
    assert yaml_words.yaml_words("made up", "a", 1, 1).startswith("this cannot be read")
    assert json_words.json_words("made up").startswith("this cannot be read")


def test_json_may_begin_with_a_byte_order_mark() -> None:
    assert parse_json(b'\xef\xbb\xbf{"a": 1}') == {"a": 1}


@pytest.mark.parametrize(
    ("written", "number"), [("1.10", 1.1), ("0x1F", 31), ("+5", 5), ("1e3", 1000.0), ("5.", 5.0)]
)
def test_a_number_of_yaml_is_an_argument_as_it_was_written(written: str, number: float) -> None:
    value = parse_yaml(f"a: {written}")
    assert value == {"a": number}
    document = parse_yaml(f"name: x\nsteps:\n- {{id: a, skill: b, args: [{written}]}}\n")
    assert Pipeline.model_validate(document).steps[0].args == [written]


@pytest.mark.parametrize("number", [WrittenFloat("1.10"), WrittenInt("0x10")], ids=str)
@pytest.mark.parametrize(
    "copied", [copy.copy, copy.deepcopy, lambda it: pickle.loads(pickle.dumps(it))]
)
def test_a_copy_of_a_number_knows_how_that_was_written(
    number: WrittenFloat | WrittenInt, copied: Callable[[object], object]
) -> None:
    found = copied(number)
    assert (found, str(found), type(found)) == (number, str(number), type(number))


def test_a_number_that_knows_how_it_was_written_calculates_as_any_other() -> None:
    assert (WrittenFloat("1.10") + 1, WrittenInt("0x10") + 1) == (2.1, 17)
    assert (str(WrittenFloat("1.10")), f"{WrittenInt('0x10')}") == ("1.10", "0x10")


TEXT = """\
name: report
steps:
  - id: clean
    skill: csv-clean
  - id: chart
    args: [a, 5]
"""


def test_a_problem_is_located_with_its_line_column_and_step() -> None:
    problems = [Problem("/steps/1/args/1", "x"), Problem("/steps/1/skill", "y"), Problem("", "z")]
    assert located(problems, parse_yaml(TEXT), [Source("", TEXT)]) == [
        Located("/steps/1/args/1", "x", 6, 15, "chart"),
        Located("/steps/1/skill", "y", 5, 5, "chart"),
        Located("", "z", 1, 1, None),
    ]


def test_a_problem_beside_the_text_has_no_place() -> None:
    document = {"pipeline": parse_yaml(TEXT), "inputs": {"a": 1}}
    problems = [Problem("/inputs/a", "x"), Problem("/pipeline/name", "y")]
    found = located(problems, document, [Source("/pipeline", TEXT)])
    assert [(each.line, each.column) for each in found] == [(None, None), (1, 1)]


def test_json_that_is_no_yaml_has_no_places() -> None:
    text = '{"a": "\\ud83d\\ude00", "b": 1}'
    [found] = located([Problem("/b", "x")], {"a": "", "b": 1}, [Source("", text)])
    assert found.line in (None, 1)


@pytest.mark.parametrize(
    ("pointer", "step"),
    [
        ("/task/pipeline/steps/0/skill", "a"),
        ("/task/pipeline/steps/0", "a"),
        ("/task/pipeline/steps/1/skill", None),
        ("/task/pipeline/steps/7", None),
        ("/task/pipeline/steps/x", None),
        ("/task/pipeline/name", None),
        ("", None),
    ],
)
def test_the_step_around_a_place_is_found_wherever_the_pipeline_is(
    pointer: str, step: str | None
) -> None:
    document = {"task": {"pipeline": {"name": "x", "steps": [{"id": "a"}, {"id": 5}]}}}
    assert step_at(document, pointer) == step

"""References in arguments: each form is read, and what is none is told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from workflows.definitions.references import Key, Part, Reference, parse, references_in
from workflows.errors.inputs import ReferenceMalformed

NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_-]{0,10}", fullmatch=True)
QUOTABLE = st.text(st.characters(exclude_characters="'\"\\", exclude_categories=["Cs"]), max_size=8)
KEYS: st.SearchStrategy[Key] = NAMES | QUOTABLE | st.integers(0, 999_999_999)


def written(reference: Reference) -> str:
    """A reference as people write it, in the plainest form."""
    fields: list[Key] = [] if reference.field is None else [reference.field]
    steps = "".join(
        f"[{key}]" if isinstance(key, int) else f"['{key}']" for key in [*fields, *reference.path]
    )
    return f"${{{reference.source}.{reference.name}{steps}}}"


def to_steps(
    field: st.SearchStrategy[str], path: st.SearchStrategy[list[Key]]
) -> st.SearchStrategy[Reference]:
    made = st.builds(
        lambda name, field, path: Reference("", "steps", name, field, tuple(path)),
        NAMES,
        field,
        path,
    )
    return made.map(with_text)


def with_text(reference: Reference) -> Reference:
    return Reference(
        written(reference), reference.source, reference.name, reference.field, reference.path
    )


NO_PATH: st.SearchStrategy[list[Key]] = st.just([])
REFERENCES = st.one_of(
    NAMES.map(lambda name: with_text(Reference("", "inputs", name))),
    to_steps(st.sampled_from(["stdout", "exit_code", "files"]), NO_PATH),
    to_steps(st.just("files"), QUOTABLE.map(lambda name: [name])),
    to_steps(st.just("json"), st.lists(KEYS, max_size=4)),
)


@given(REFERENCES)
def test_a_written_reference_is_read_as_it_was_meant(reference: Reference) -> None:
    assert parse(reference.text) == (reference,)


@given(st.lists(st.text(min_size=1).filter(lambda text: not text.endswith("$")) | REFERENCES))
def test_text_and_references_come_in_their_order(parts: list[Part]) -> None:
    whole = "".join(
        part.replace("${", "$${") if isinstance(part, str) else part.text for part in parts
    )
    read = parse(whole)
    assert [part for part in read if isinstance(part, Reference)] == [
        part for part in parts if isinstance(part, Reference)
    ]
    assert _joined(read) == _joined(tuple(parts))


def _joined(parts: tuple[Part, ...]) -> str:
    return "".join(part if isinstance(part, str) else part.text for part in parts)


@given(st.text())
def test_a_text_with_its_openings_doubled_is_plain(text: str) -> None:
    assert parse(text.replace("${", "$${")) == (text,)


_PIECES = st.sampled_from(
    ["${", "$", "{", "}", "inputs", "steps", ".", "[", "]", "'", '"', "files", "json", "0", "a"]
)


@given(st.lists(_PIECES | st.text(max_size=3)).map("".join))
def test_any_text_is_read_or_refused_with_our_error(text: str) -> None:
    try:
        parts = parse(text)
    except ReferenceMalformed:
        return
    assert parts
    assert all(isinstance(part, Reference) or part or text == "" for part in parts)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${inputs.sales}", Reference("${inputs.sales}", "inputs", "sales")),
        ("${steps.a.stdout}", Reference("${steps.a.stdout}", "steps", "a", "stdout")),
        ("${steps.a.exit_code}", Reference("${steps.a.exit_code}", "steps", "a", "exit_code")),
        ("${steps.a.files}", Reference("${steps.a.files}", "steps", "a", "files")),
        (
            '${steps.a.files["b c.csv"]}',
            Reference('${steps.a.files["b c.csv"]}', "steps", "a", "files", ("b c.csv",)),
        ),
        (
            "${steps.a.files['}.csv']}",
            Reference("${steps.a.files['}.csv']}", "steps", "a", "files", ("}.csv",)),
        ),
        (
            "${steps.a-b.json.rows[0]['odd key']}",
            Reference(
                "${steps.a-b.json.rows[0]['odd key']}",
                "steps",
                "a-b",
                "json",
                ("rows", 0, "odd key"),
            ),
        ),
    ],
)
def test_each_form_of_the_documentation_is_read(text: str, expected: Reference) -> None:
    assert parse(text) == (expected,)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", ("",)),
        ("$", ("$",)),
        ("{x}", ("{x}",)),
        ("$x", ("$x",)),
        ("$${inputs.x}", ("${inputs.x}",)),
        ("a$${b", ("a${b",)),
    ],
)
def test_text_that_only_looks_like_a_reference_is_plain(text: str, parts: tuple[str, ...]) -> None:
    assert parse(text) == parts


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("${", "'}' is missing at character 2"),
        ("${inputs.x", "'}' is missing at character 10"),
        ("--in=${inputs.x", "'}' is missing at character 15"),
        ("${}", "must begin with inputs, parameters or steps"),
        ("${inputs}", "an input has a name and nothing else"),
        ("${inputs.}", "a name is missing at character 9"),
        ("${inputs.x.y}", "an input has a name and nothing else"),
        ("${inputs[0]}", "an input has a name and nothing else"),
        ("${steps}", "a step has an id and files, stdout"),
        ("${steps.a}", "a step has an id and files, stdout"),
        ("${steps.a.stderr}", "a step has an id and files, stdout"),
        ("${steps.a.stdout.x}", "a step has an id and files, stdout"),
        ("${steps.a.files[0]}", "a step has an id and files, stdout"),
        ("${steps.a.files['x'].y}", "a step has an id and files, stdout"),
        ("${steps[0].stdout}", "a step has an id and files, stdout"),
        ("${env.HOME}", "must begin with inputs, parameters or steps"),
        ("${items}", r"\(did you mean item\?\)"),
        ("${steps.a.files.clean.csv}", r"\(did you mean \${steps.a.files\['clean.csv'\]}\?\)"),
        ("${steps.a}", "exit_code, json. Write"),
        ("${steps.a.json" + ".x" * 300 + "}", "more than 200 parts"),
        ("${ inputs.x }", "a name is missing at character 2"),
        ("${inputs.x }", r"'\.' or '\[' is missing at character 10"),
        ("${steps.a.json[x]}", r"quotes are missing: \['x'\] at character 15"),
        ("${steps.a.files[clean.csv]}", r"quotes are missing: \['clean.csv'\] at"),
        ("${steps.a.files[*.csv]}", r"quotes are missing: \['\*.csv'\] at"),
        ("${steps.a.json[-1]}", "brackets hold a number from 0 on or a name in quotes"),
        ("${steps.a.json[9999999999]}", "brackets hold a number"),
        ("${steps.a.json[١]}", "brackets hold a number"),  # a digit, but not one of ours
        ("${steps.a.json[", "brackets hold a number"),
        ("${steps.a.files['x}", "the quote ' is not closed at character 16"),
        ("${steps.clean.files['*.csv'}", "'\\]' is missing at character 27"),
        ("${steps.a.files['x\\'y']}", "a name in brackets holds no backslash at character 18"),
        ("${${inputs.x}}", "a name is missing at character 2"),
    ],
)
def test_a_malformed_reference_is_refused_with_its_place(text: str, reason: str) -> None:
    with pytest.raises(ReferenceMalformed, match=reason):
        parse(text)


def test_an_error_in_a_long_argument_shows_only_its_surroundings() -> None:
    with pytest.raises(ReferenceMalformed) as caught:
        parse("a" * 100_000 + "${foo}" + "b" * 100_000)
    assert "aaa${foo}bbb" in str(caught.value)
    assert len(str(caught.value)) < 600


def test_references_are_found_in_the_values_of_any_json_in_reading_order() -> None:
    value: JsonValue = {
        "a": ["${inputs.x} and ${inputs.y}", 1, None],
        "${inputs.no}": {"b": "${inputs.z}"},
    }
    assert [item.name for item in references_in(value)] == ["x", "y", "z"]

"""Command lines, read from what skills say of themselves."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.offline_model.usage import Option, Usage, Word, read_usage
from tests.unit.deploy.offline_model.talk import World, built_in, skill, talk

INPUT = Word("INPUT", is_place=True)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("python3 scripts/x.py INPUT", (INPUT,)),
        ("python scripts/x.py <input>", (Word("input", is_place=True),)),
        ("$ ./scripts/x.py {file}", (Word("file", is_place=True),)),
        ("bash scripts/x.sh photo.png", (Word("photo.png", is_place=True),)),
        ("node {baseDir}/scripts/x.js INPUT [options]", (INPUT,)),
        ("scripts/x.py INPUT [--loud] [-o out.txt]", (INPUT,)),
        ("scripts/x.py convert INPUT OUTPUT", (Word("convert"), INPUT, Word("output"))),
        ("scripts/x.py in.docx out.md", (Word("in.docx", is_place=True), Word("out.md"))),
        ("scripts/x.py FILE...", (Word("FILE", is_place=True, is_many=True),)),
        ("scripts/x.py in.csv  # the first", (Word("in.csv", is_place=True),)),
        ("scripts/x.py \\\n    INPUT", (INPUT,)),
        ("scripts/x.py 'it is broken", (Word("'it"), Word("is"), Word("broken"))),
        ("scripts/x.py", ()),
    ],
)
def test_words_are_places_or_stand_as_they_are(line: str, words: tuple[Word, ...]) -> None:
    assert read_usage(f"Do it:\n\n```\n{line}\n```\n").words == words


def test_a_text_without_a_command_leaves_the_script_to_be_found() -> None:
    assert read_usage("Write nicely.") == Usage()


def test_options_have_placeholders_choices_and_may_be_required() -> None:
    usage = read_usage("scripts/x.py INPUT --on KEYS [--how left|right] [--quiet] [-o joined.csv]")
    assert usage.options == (
        Option("--on", "KEYS", is_required=True),
        Option("--how", "left|right", ("left", "right")),
        Option("--quiet"),
    )
    assert (usage.output_flag, usage.output_name) == ("-o", "joined.csv")


def test_flags_are_those_of_the_first_example_that_take_no_value() -> None:
    usage = read_usage(
        "scripts/x.py INPUT [--top N]\n"
        "scripts/x.py big.csv --fast --top 3 --name me --deep -o big.txt\n"
        "scripts/x.py small.csv --slow\n"
    )
    assert usage.flags == ("--fast", "--deep")


def test_the_first_of_several_scripts_is_used() -> None:
    usage = read_usage("scripts/a.py INPUT\nscripts/b.py INPUT [--x Y]\nscripts/a.py i.csv --q\n")
    assert (usage.script, usage.options, usage.flags) == ("scripts/a.py", (), ("--q",))


@given(st.text(alphabet="scripts/x.py INPUT[]|<>{}'\"\\-o=.\n ", max_size=80))
def test_no_text_is_too_odd_to_be_read(text: str) -> None:
    read_usage(f"scripts/x.py {text}")


def commands(prompt: str, *files: str) -> list[tuple[str, ...]]:
    return talk(prompt, World(built_in(), files)).commands


def test_options_named_in_the_prompt_are_passed_on() -> None:
    prompt = 'Draw a scatter chart with x=flipper, y: mass, --group species and title "Birds fly".'
    expected = ("--kind", "scatter", "--x", "flipper", "--y", "mass", "--group", "species")
    assert commands(prompt, "data (1 bytes, text/csv)") == [("chart", "data", *expected)]


def test_a_required_value_is_what_follows_its_name_in_the_prompt() -> None:
    files = ("a.csv (1 bytes, text/csv)", "b.csv (1 bytes, text/csv)")
    assert commands("Join the files on the column id.", *files) == [
        ("csv-join", "a.csv", "b.csv", "--on", "id")
    ]


def test_a_script_for_one_file_runs_for_each_with_outputs_of_their_own() -> None:
    files = ("a.csv (1 bytes, text/csv)", "b.csv (1 bytes, text/csv)")
    assert commands("Profile them.", *files) == [
        ("csv-profile", "a.csv", "-o", "a-profile"),
        ("csv-profile", "b.csv", "-o", "b-profile"),
    ]


def test_only_files_of_kinds_that_a_skill_takes_are_given_to_it() -> None:
    files = ("notes.pdf (1 bytes, application/pdf)", "table (1 bytes, text/csv)")
    assert commands("Profile it.", *files) == [("csv-profile", "table")]
    assert commands("Extract the text.", *files) == [
        ("text-extract", "notes.pdf", "--format", "text")
    ]


def test_files_that_the_prompt_names_are_the_ones_it_means() -> None:
    files = ("a.csv (1 bytes, text/csv)", "b.csv (1 bytes, text/csv)")
    assert commands("Profile b.csv.", *files) == [("csv-profile", "b.csv")]


def test_a_file_whose_kind_nothing_tells_is_tried() -> None:
    assert commands("Profile it.", "data (? bytes, application/octet-stream)") == [
        ("csv-profile", "data")
    ]


def test_without_a_fitting_file_the_skill_is_skipped() -> None:
    done = talk("Join the files on id.", World(built_in(), ("a.csv (1 bytes, text/csv)",)))
    assert done.commands == []
    assert "it needs LEFT and RIGHT, and there is no fitting file" in done.summary


def test_a_skill_of_third_parties_runs_by_its_example() -> None:
    text = "Run it:\n```bash\npython scripts/to_md.py report.docx output.md --tables\n```"
    world = World(
        {"docx2md": skill("Converts Word documents (docx) to Markdown.", text)},
        ("thesis.docx (1 bytes, application/octet-stream)",),
    )
    assert talk("Convert the Word document to Markdown", world).commands == [
        ("docx2md", "thesis.docx", "output.md", "--tables")
    ]


def test_a_place_for_words_gets_what_the_prompt_quotes() -> None:
    world = World({"shout": skill("Shouts a text.", "scripts/shout.py TEXT [--loud]")}, ())
    assert talk('Shout "good morning"', world).commands == [("shout", "good morning")]

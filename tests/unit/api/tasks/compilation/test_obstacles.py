"""What cannot be compiled: each place with its reason, and never a pipeline that is wrong."""

from dataclasses import replace
from typing import Any

import pytest

from activities.store.approvals import Approval, Elicitation
from activities.tools.registry import Registry
from api.tasks.compilation.compiling import Compiled, Part, at_calls, compile_runs
from api.tasks.compilation.natures import Tools
from api.tasks.compilation.obstacles import MAX_CALLS
from tests.doubles.recorded_runs import (
    BEGINNING,
    DATA,
    Done,
    Recording,
    code,
    failed,
    script,
    written,
)
from workflows.definitions.pipeline import MAX_STEPS
from workflows.pointers import Problem
from workflows.states import Status, TaskType

TOOLS = Tools(Registry().tools)
CLEAN = script(
    "csv-clean",
    "data",
    clean_csv="a,b",
    said='{"output": "clean.csv", "columns": ["species", "mass_g"], "shape": [344, 5]}',
)
PROFILE = script(
    "csv-profile", "clean.csv", profile_md="", said="mean 4201.754 of 344 rows; 5, 10, 0.2"
)


def compiled(recording: Recording, *accepted: str) -> Compiled:
    return compile_runs([Part(recording.run)], TOOLS, accepted)


def pointers_of(recording: Recording, *accepted: str) -> list[str]:
    found = compiled(recording, *accepted)
    assert (found.pipeline is None) == bool(found.problems)
    return [problem.pointer for problem in found.problems]


def only(recording: Recording) -> tuple[str, str]:
    found = compiled(recording)
    [problem] = found.problems
    assert found.pipeline is None
    return problem.pointer, problem.message


def question(**changes: Any) -> Approval:
    values = {"id": DATA, "kind": "answer", "asked_at": BEGINNING, "expires_at": BEGINNING}
    return Approval.model_validate(values | changes)


# The run as a whole.


@pytest.mark.parametrize("status", [Status.RUNNING, Status.FAILED, Status.CANCELLED])
def test_a_run_that_is_not_completed_is_refused(status: Status) -> None:
    recording = Recording().turn(CLEAN)
    recording.run = replace(recording.run, status=status)
    pointer, message = only(recording)
    assert pointer == "/status"
    assert f"is {status}" in message


def test_a_pipeline_is_refused() -> None:
    recording = Recording()
    recording.run = replace(recording.run, type=TaskType.PIPELINE)
    assert only(recording) == (
        "/type",
        "this is a pipeline already: only what an agent or a plan did can be compiled",
    )


def test_a_run_that_was_too_long_to_be_read_is_refused() -> None:
    recording = Recording()
    recording.run = replace(recording.run, is_cut=True)
    pointer, message = only(recording)
    assert pointer == "/calls"
    assert message.endswith("at most 500 calls, and 5000 messages of 4 MiB")


def test_a_run_of_very_many_calls_is_refused() -> None:
    recording = Recording().turn(*[CLEAN] * (MAX_CALLS + 1))
    assert only(recording)[0] == "/calls"


def test_a_run_that_left_nothing_is_refused() -> None:
    assert only(Recording().turn(Done("list_files")))[0] == "/calls"


def test_more_calls_than_a_pipeline_has_steps_are_refused() -> None:
    many = [script("chart", "data", **{f"c{n}_png": ""}) for n in range(MAX_STEPS + 1)]
    pointer, message = only(Recording().turn(*many))
    assert pointer == f"/calls/1.{MAX_STEPS + 1}"
    assert "at most 100 steps" in message


def test_a_pipeline_that_no_request_could_hold_is_refused() -> None:
    recording = Recording().turn(CLEAN)
    found = compile_runs([Part(recording.run)], TOOLS, max_bytes=200)
    [problem] = found.problems
    assert found.pipeline is None
    assert problem.pointer == "/calls"
    assert "larger than 200 bytes" in problem.message


def test_a_result_to_a_schema_is_told() -> None:
    recording = Recording(output_schema={"type": "object"}).turn(CLEAN)
    assert only(recording)[0] == "/result"
    assert pointers_of(recording, "/result") == []


# People.


def test_a_question_to_a_person_is_told() -> None:
    ask = Done("ask_human", {"question": "Which?"}, said="the first", approval=question())
    pointer, message = only(Recording().turn(CLEAN).turn(ask))
    assert pointer == "/calls/2.1"
    assert "a pipeline asks nobody" in message


def test_a_question_that_nobody_answered_is_a_dead_end() -> None:
    ask = failed(Done("ask_human", {"question": "Which?"}))
    assert pointers_of(Recording().turn(ask).turn(CLEAN)) == []


def test_a_question_of_a_server_that_a_person_answered_is_told() -> None:
    asked = question(elicitation=Elicitation(asked_in=1, text="How many?"))
    book = Done("mcp.travel.book", {"to": "x"}, approval=asked)
    assert only(Recording().turn(CLEAN).turn(book))[0] == "/calls/2.1"


def test_a_call_that_a_person_approved_is_a_step_and_one_that_they_denied_is_none() -> None:
    approved = replace(CLEAN, approval=question(kind="approval", decision="approve"))
    denied = failed(Done("mcp.hub.publish", {"x": "y"}))
    found = compiled(Recording().turn(approved).turn(denied))
    assert list(found.steps) == ["csv-clean"]


# Files that a pipeline does not have.


def test_a_file_of_a_call_that_failed_is_told() -> None:
    broken = failed(script("csv-clean", "data", "-o", "half.csv", half_csv="x"))
    pointer, message = only(Recording().turn(broken).turn(script("chart", "half.csv")))
    assert pointer == "/calls/2.1/arguments/args/0"
    assert "'half.csv' was made by call 1.1, which is no step" in message


def test_what_was_printed_and_kept_for_its_length_is_no_file_of_a_step() -> None:
    kept = {"1.1-run_code.txt": "very long"}
    say = Done("run_code", {"language": "python", "source": "print(1)"}, files=kept)
    pointer, message = only(Recording().turn(say).turn(script("report", "1.1-run_code.txt")))
    assert pointer == "/calls/2.1/arguments/args/0"
    assert "too long for the model" in message


def test_code_that_only_printed_much_is_a_look() -> None:
    kept = {"1.1-run_code.txt": "very long"}
    say = Done("run_code", {"language": "python", "source": "print(1)"}, files=kept)
    assert list(compiled(Recording().turn(say).turn(CLEAN)).steps) == ["csv-clean"]


def test_a_file_that_was_made_beside_the_call_is_told() -> None:
    first = replace(CLEAN, seconds=10)
    pointer, message = only(Recording().turn(first, script("chart", "clean.csv", chart_png="")))
    assert pointer == "/calls/1.2/arguments/args/0"
    assert "side by side" in message


def test_an_older_file_is_not_taken_for_one_that_was_made_beside_the_call() -> None:
    again = replace(CLEAN, seconds=10)
    recording = Recording().turn(CLEAN).turn(again, script("chart", "clean.csv", chart_png=""))
    assert only(recording)[0] == "/calls/2.2/arguments/args/0"


def test_a_file_that_a_later_call_of_the_turn_made_before_is_told() -> None:
    """Steps follow in the order of the calls."""
    chart = replace(script("chart", "clean.csv", chart_png=""), after=5)
    pointer, message = only(Recording().turn(chart, CLEAN))
    assert pointer == "/calls/1.1/arguments/args/0"
    assert "side by side" in message


def test_a_file_that_was_made_before_the_call_began_in_the_same_turn_is_a_reference() -> None:
    chart = replace(script("chart", "clean.csv", chart_png=""), after=5)
    assert pointers_of(Recording().turn(CLEAN, chart)) == []


def test_a_dollar_before_a_file_cannot_be_written() -> None:
    recording = Recording().turn(script("chart", "cost$/workspace/input/data", chart_png=""))
    pointer, message = only(recording)
    assert pointer == "/calls/1.1/arguments/args/0"
    assert "cannot be written" in message


def test_an_id_of_this_run_is_told() -> None:
    recording = Recording().turn(CLEAN)
    url = f"http://localhost:8000/api/v1/artifacts/{recording.file('clean.csv').id}"
    pointer, message = only(recording.turn(Done("mcp.hub.fetch", {"url": url})))
    assert pointer == "/calls/2.1/arguments/url"
    assert "belongs to this run only" in message


# Text that depends on the data.


@pytest.mark.parametrize(
    ("done", "place"),
    [
        (script("chart", "clean.csv", "--x", "species", c_png=""), "args/2"),
        (script("chart", "clean.csv", "--x=mass_g", c_png=""), "args/1"),
        (script("chart", "clean.csv", "--x=Mass_G", c_png=""), "args/1"),
        (script("chart", "clean.csv", "--title=Penguins by mass", c_png=""), "args/1"),
        (script("chart", "clean.csv", "--x=speciesMass", c_png=""), "args/1"),
        (script("chart", "clean.csv", "--top", "344", c_png=""), "args/2"),
        (script("chart", "clean.csv", "--mean=4201.754", c_png=""), "args/1"),
        (script("chart", "clean.csv", "--mean=4201.75", c_png=""), "args/1"),
        (script("chart", "clean.csv", "--mean=4202", c_png=""), "args/1"),
        (script("report", "Of species=clean.csv", r_html=""), "args/0"),
        (code("d['species']", o_csv=""), "source"),
        (code("d.species", o_csv=""), "source"),
        (code("x > 4201.754", o_csv=""), "source"),
        (code("this is no Python: 'species'", o_csv=""), "source"),
        (code("rows.map(r => r.species)", language="javascript", o_csv=""), "source"),
        (code("cut -d, -f1 | grep species", language="shell", o_csv=""), "source"),
        (code("cut -d';' -f1 | head -n 344", language="shell", o_csv=""), "source"),
        (code("cat > r.md <<'END'\nIt is 42.3\nEND", language="shell", r_md=""), "source"),
        (code("t = 'This is a report.\\nIt is 42.3.'", r_md=""), "source"),
        (code("t = `A text of\nmore: 42.3.`", language="javascript", r_md=""), "source"),
        (Done("mcp.hub.add", {"a": [{"by": "species"}]}), "a/0/by"),
        (Done("mcp.hub.add", {"a": 344}), "a"),
        (written("notes.md", "There are 344 of them."), "text"),
        (written("notes.md", "# Findings\n\nMost of them are of one species."), "text"),
        # A number that was worked out stands nowhere.
        (written("notes.md", "# Findings\n\nA share of 42.3 percent."), "text"),
    ],
    ids=lambda value: value.tool if isinstance(value, Done) else None,
)
def test_what_the_model_read_in_the_data_is_told(done: Done, place: str) -> None:
    pointer, message = only(Recording("Clean and draw.").turn(CLEAN).turn(PROFILE).turn(done))
    assert pointer == f"/calls/3.1/arguments/{place}"
    assert "the prompt does not have it" in message


@pytest.mark.parametrize(
    "done",
    [
        script("chart", "clean.csv", "--x", "flipper", "--y=mass_g", c_png=""),
        script("chart", "clean.csv", "--kind", "bar", c_png=""),
        script("chart", "clean.csv", "--top", "10", "--share=0.2", "-n", "5", c_png=""),
        script("chart", "clean.csv", "--title=A chart of the table", c_png=""),
        script("chart", "clean.csv", "-o", "species", **{"species": ""}),
        script("report", "The rows=clean.csv", "profile.md", r_html=""),
        code("open('/workspace/input/clean.csv', 'r', encoding='utf-8')", o_csv=""),
        code("species = 1\nprint(species)", o_csv=""),
        code("cut -d, -f1 x | sort | head -n 25 > o.csv", language="shell", o_csv=""),
        script("chart", "clean.csv", "--format=csv", c_png=""),
        script("chart", "clean.csv", "--label=speciesZebra", c_png=""),
        code("frame.columns[0].strip(), frame.shape", o_csv=""),
        written("species", "no more"),
        written("config.json", '{\n "least": 25\n}'),
        code(r"import re; re.compile('\d+')", o_csv=""),
        written("config.json", '{"table": "clean.csv", "y": "mass_g", "in": "data"}'),
        code("import os; os.environ['AGENTOS_INPUT_DIR'], 'input_folder'", o_csv=""),
        code("os.environ['INPUT_SPECIES']", o_csv=""),
    ],
    ids=lambda value: value.tool,
)
def test_what_the_model_had_otherwise_is_no_problem(done: Done) -> None:
    prompt = "Draw flipper against mass_g, at most 25."
    assert pointers_of(Recording(prompt).turn(CLEAN).turn(PROFILE).turn(done)) == []


def test_the_name_of_an_input_is_given() -> None:
    recording = Recording(inputs={"people": f"file:{DATA}"})
    recording.turn(Done("list_files", said='[{"name": "people", "size": 12}]'))
    assert pointers_of(recording.turn(written("job.json", '{"in": "people"}'))) == []


def test_a_word_that_the_model_said_first_is_its_own() -> None:
    first = script("chart", "data", "--kind", "scatter", a_png="", said='{"kind": "scatter"}')
    again = script("chart", "data", "--kind", "scatter", "--log", b_png="")
    assert pointers_of(Recording().turn(first).turn(again)) == []


def test_a_word_of_the_agents_goal_is_given() -> None:
    recording = Recording(profile={"goal": "Compare each species."}).turn(CLEAN)
    chart = script("chart", "clean.csv", "--x", "species", c_png="")
    assert pointers_of(recording.turn(chart)) == []


def test_the_text_of_a_skill_is_no_data() -> None:
    load = Done("load_skill", {"skill": "chart"}, said="--kind bar|line: species, for example")
    chart = script("chart", "data", "--x", "species", c_png="")
    assert pointers_of(Recording().turn(load).turn(chart)) == []


def test_what_a_skill_says_too_explains_no_word_of_the_data() -> None:
    load = Done("load_skill", {"skill": "chart"}, said="--x species, for example")
    chart = script("chart", "clean.csv", "--x", "species", c_png="")
    assert pointers_of(Recording().turn(load).turn(CLEAN).turn(chart)) != []


def test_what_a_failed_call_said_is_data_too() -> None:
    wrong = failed(script("chart", "data", "--x", "kind", said="no column; there is: species"))
    recording = Recording().turn(wrong).turn(script("chart", "data", "--x", "species", c_png=""))
    assert pointers_of(recording) == ["/calls/2.1/arguments/args/2"]


def test_what_was_read_in_a_file_is_told_with_the_call_that_read_it() -> None:
    read = Done("read_file", {"file": "data"}, said="island,species\nDream,Adelie")
    _, message = only(Recording().turn(read).turn(script("chart", "data", "--x=island", c_png="")))
    assert "the result of call 1.1 read_file" in message


def test_a_text_from_before_any_data_was_read_is_the_models_own() -> None:
    recording = Recording().turn(written("config.json", '{"limit": 2500}')).turn(CLEAN)
    assert pointers_of(recording) == []


def test_a_number_that_a_later_result_comes_close_to_is_the_models_own() -> None:
    chart = script("chart", "data", "--most=4202", c_png="", said="it is 4201.754 in fact")
    assert pointers_of(Recording().turn(Done("read_file", said="a 1")).turn(chart)) == []


def test_only_calls_that_count_are_looked_at() -> None:
    first = script("chart", "clean.csv", "--x", "species", c_png="1")
    again = script("chart", "clean.csv", c_png="2")
    assert pointers_of(Recording().turn(CLEAN).turn(first).turn(again)) == []


# Who accepts what.


def test_a_text_that_a_person_takes_for_a_constant_becomes_a_parameter() -> None:
    recording = Recording().turn(CLEAN).turn(script("chart", "clean.csv", "--x=species", c_png=""))
    found = compiled(recording, "/calls/2.1/arguments/args/1")
    assert found.pipeline is not None
    assert found.pipeline.parameters == {"x": "species"}
    assert found.pipeline.steps[1].args == [
        "${steps.csv-clean.files['clean.csv']}",
        "--x=${parameters.x}",
    ]


@pytest.mark.parametrize("pointer", ["/calls/9.9/arguments/args/0", "", "nonsense", "/result"])
def test_what_is_not_in_the_way_cannot_be_accepted(pointer: str) -> None:
    assert pointers_of(Recording().turn(CLEAN), pointer) == [pointer]


def test_a_question_to_a_person_cannot_be_accepted() -> None:
    recording = Recording().turn(Done("ask_human", {"question": "?"}, said="x")).turn(CLEAN)
    assert pointers_of(recording, "/calls/1.1") == ["/calls/1.1"]


def test_a_file_that_is_not_there_cannot_be_accepted() -> None:
    broken = failed(script("csv-clean", "data", half_csv="x"))
    recording = Recording().turn(broken).turn(script("chart", "half.csv", c_png=""))
    at = "/calls/2.1/arguments/args/0"
    assert pointers_of(recording, at)[-1] == at


# Places.


def test_problems_of_a_pipeline_are_told_as_those_of_calls() -> None:
    problems = [Problem("/pipeline/steps/1/skill", "gone"), Problem("/inputs/x", "gone")]
    found = at_calls(problems, ["/calls/1.1", "/calls/4.2"], at="/pipeline")
    assert [problem.pointer for problem in found] == ["/calls/4.2/skill", "/inputs/x"]


def test_every_problem_of_a_run_is_told_at_once() -> None:
    recording = Recording(output_schema={"type": "object"}).turn(CLEAN)
    recording.turn(Done("ask_human", {"question": "?"}, said="x"))
    recording.turn(script("chart", "clean.csv", "--x", "species", "--y", "mass_g", c_png=""))
    assert pointers_of(recording) == [
        "/calls/2.1",
        "/result",
        "/calls/3.1/arguments/args/2",
        "/calls/3.1/arguments/args/4",
    ]

"""What an agent did becomes steps: which calls count, and what their arguments refer to."""

from dataclasses import replace
from typing import Any

import pytest

from activities.tools.registry import Registry
from api.tasks.compilation.compiling import Compiled, Part, compile_runs
from api.tasks.compilation.natures import Tools
from tests.doubles.recorded_runs import DATA, Done, Recording, code, failed, script, written
from workflows.definitions.pipeline import Pipeline
from workflows.definitions.pipeline_checking import problems_of

TOOLS = Tools(Registry().tools, frozenset({"mcp.hub.read_resource"}))


def compiled(recording: Recording, *accepted: str) -> Compiled:
    return compile_runs([Part(recording.run)], TOOLS, accepted)


def pipeline_of(recording: Recording, *accepted: str) -> Pipeline:
    """The pipeline, which must be one that could be submitted."""
    found = compiled(recording, *accepted)
    assert found.problems == ()
    assert found.pipeline is not None
    assert problems_of(found.pipeline, found.inputs) == []
    return found.pipeline


def steps_of(recording: Recording, *accepted: str) -> list[dict[str, Any]]:
    pipeline = pipeline_of(recording, *accepted)
    return [step.model_dump(mode="json", exclude_defaults=True) for step in pipeline.steps]


def ids_of(recording: Recording) -> list[str]:
    return [step["id"] for step in steps_of(recording)]


CLEAN = script("csv-clean", "data", "-o", "clean.csv", clean_csv="a,b")


def test_calls_become_steps_in_their_order_and_their_files_references() -> None:
    recording = Recording().turn(CLEAN).turn(script("chart", "clean.csv", chart_png="png"))
    assert steps_of(recording) == [
        {
            "id": "csv-clean",
            "skill": "csv-clean",
            "args": ["${inputs.data}", "-o", "clean.csv"],
        },
        {"id": "chart", "skill": "chart", "args": ["${steps.csv-clean.files['clean.csv']}"]},
    ]


def test_a_pipeline_gets_the_inputs_that_its_steps_need_and_no_others() -> None:
    given = {"data": f"file:{DATA}", "notes": "https://example.org/notes.txt"}
    found = compiled(Recording(inputs=given).turn(CLEAN))
    assert found.inputs == {"data": f"file:{DATA}"}
    assert found.pipeline is not None
    assert found.pipeline.inputs == ["data"]


def test_each_step_says_which_call_it_repeats_and_what_that_made() -> None:
    recording = Recording().turn(Done("list_files")).turn(CLEAN)
    [(key, (call, files))] = compiled(recording).steps.items()
    assert (key, call.name) == ("csv-clean", "2.1 run_skill_script")
    assert [file.name for file in files] == ["clean.csv"]


def test_a_script_that_was_named_is_named_and_numbers_are_texts() -> None:
    arguments = {"skill": "csv-clean", "script": "scripts/clean.py", "args": ["data", "-n", 5]}
    recording = Recording().turn(Done("run_skill_script", arguments, files={"x.csv": ""}))
    [step] = steps_of(recording)
    assert step["script"] == "scripts/clean.py"
    assert step["args"] == ["${inputs.data}", "-n", "${parameters.n}"]


def test_ids_of_steps_are_told_apart() -> None:
    second = script("chart", "clean.csv", "-o", "b", b_png="b")
    recording = Recording().turn(CLEAN)
    recording.turn(script("chart", "clean.csv", "-o", "a", a_png="a")).turn(second)
    assert ids_of(recording) == ["csv-clean", "chart", "chart-2"]


# Which calls count.


@pytest.mark.parametrize(
    "look",
    [
        Done("list_files", said='[{"name": "data", "size": 12}]'),
        Done("read_file", {"file": "data"}, said="species,mass"),
        Done("load_skill", {"skill": "chart"}, said="Draw a chart."),
        Done("list_skills"),
        Done("read_skill_file", {"skill": "chart", "path": "references/x.md"}),
        Done("find_tools", {"query": "convert"}),
        Done("web_search", {"query": "penguins"}, said="Penguins are birds."),
        Done("mcp.hub.read_resource", {"uri": "x:1"}, said="text"),
        code("print(open('/workspace/input/data').readline())", said="a,b"),
    ],
    ids=lambda done: done.tool,
)
def test_a_call_that_only_reads_is_no_step(look: Done) -> None:
    assert ids_of(Recording().turn(look).turn(CLEAN).turn(look)) == ["csv-clean"]


def test_turns_without_calls_are_no_steps() -> None:
    recording = Recording().turn(said="Let me think.").turn(CLEAN).turn(said="Done, I think.")
    assert ids_of(recording) == ["csv-clean"]


@pytest.mark.parametrize("tool", ["make_plan", "revise_plan", "finish", "create_task"])
def test_a_call_that_is_none_of_the_tools_of_pipelines_is_told(tool: str) -> None:
    """Those of planners and routers are for agents only, or leave no row: never steps."""
    native = dict(TOOLS.native)
    native[tool] = replace(native["ask_human"], question=None)
    recording = Recording().turn(Done(tool, {"nodes": []})).turn(CLEAN)
    found = compile_runs([Part(recording.run)], Tools(native))
    assert found.pipeline is not None
    assert [step.id for step in found.pipeline.steps] == ["csv-clean"]


def test_a_failed_call_is_left_out() -> None:
    dead_end = failed(script("csv-clean", "data", "--no-such-option"))
    assert ids_of(Recording().turn(dead_end).turn(CLEAN)) == ["csv-clean"]


def test_a_call_whose_file_a_later_one_made_anew_is_left_out() -> None:
    first = script("csv-clean", "data", "--dedupe", "-o", "clean.csv", clean_csv="1")
    [step] = steps_of(Recording().turn(first).turn(CLEAN))
    assert step["args"] == ["${inputs.data}", "-o", "clean.csv"]


def test_a_file_that_was_made_anew_counts_if_something_used_it_before() -> None:
    first = script("csv-clean", "data", "-o", "clean.csv", clean_csv="1")
    used = script("csv-clean", "clean.csv", "--dedupe", "-o", "./clean.csv", clean_csv="2")
    chart = script("chart", "clean.csv", chart_png="3")
    steps = steps_of(Recording().turn(first).turn(used).turn(chart))
    assert [step["args"][0] for step in steps] == [
        "${inputs.data}",
        "${steps.csv-clean.files['clean.csv']}",
        "${steps.csv-clean-2.files['clean.csv']}",
    ]


def test_an_older_file_that_is_named_by_its_url_is_the_one_that_is_meant() -> None:
    recording = Recording().turn(CLEAN)
    again = script("csv-clean", "data", "--dedupe", "-o", "clean.csv", clean_csv="2")
    recording.turn(again)
    old = recording.file("clean.csv", 0)
    recording.turn(script("csv-join", f"/api/v1/artifacts/{old.id}", "clean.csv", joined_csv="3"))
    assert steps_of(recording)[2]["args"] == [
        "${steps.csv-clean.files['clean.csv']}",
        "${steps.csv-clean-2.files['clean.csv']}",
    ]


def test_a_file_replaced_by_a_failed_call_stands() -> None:
    broken = failed(script("csv-clean", "data", "-o", "clean.csv", clean_csv="half"))
    assert ids_of(Recording().turn(CLEAN).turn(broken)) == ["csv-clean"]


def test_code_that_left_no_file_is_a_step_if_no_call_left_any() -> None:
    source = "print(sum(1 for _ in open('/workspace/input/data')))"
    [step] = steps_of(Recording().turn(code(source, said="344")))
    assert step["code"] == {"language": "python", "source": source}


def test_a_script_that_left_no_file_is_a_step() -> None:
    recording = Recording().turn(script("csv-profile", "data", said="{}")).turn(CLEAN)
    assert ids_of(recording) == ["csv-profile", "csv-clean"]


def test_what_a_server_did_is_done_again_even_if_nothing_used_it() -> None:
    call = Done("mcp.hub.publish", {"title": "Report", "in": [{"n": 3}], "draft": True})
    [first, second] = steps_of(Recording("A Report").turn(call).turn(CLEAN))
    assert first["tool"] == "mcp.hub.publish"
    assert first["args"] == {
        "title": "${parameters.title}",
        "in": [{"n": "${parameters.n}"}],
        "draft": True,
    }
    assert second["id"] == "csv-clean"


def test_what_a_server_did_twice_is_done_twice() -> None:
    call = Done("mcp.hub.get", {"what": "it"}, files={"got.csv": "x"})
    assert ids_of(Recording("it").turn(call).turn(call)) == ["get", "get-2"]


def test_the_name_of_a_written_file_is_no_parameter() -> None:
    [step] = steps_of(Recording("Write notes.").turn(written("notes", "Write")))
    assert step["args"] == {"name": "notes", "text": "${parameters.text}"}


# What the model wrote itself.


def test_what_the_model_wrote_becomes_a_file_step_word_by_word() -> None:
    text = "# Notes\n\nCosts ${amount} and $${more}.\n"
    recording = Recording().turn(written("notes.md", text))
    recording.turn(script("report", "notes.md", report_html=""))
    [note, report] = steps_of(recording)
    assert note == {
        "id": "notes",
        "tool": "write_file",
        "args": {
            "name": "notes.md",
            "text": text.replace("${", "$${"),
        },
    }
    assert report["args"] == ["${steps.notes.files['notes.md']}"]


def test_a_file_that_was_written_again_is_written_once() -> None:
    recording = Recording().turn(written("notes.md", "one")).turn(written("notes.md", "two"))
    [step] = steps_of(recording)
    assert step["args"]["text"] == "two"


# Files, wherever they are named.


@pytest.mark.parametrize(
    ("arg", "reference"),
    [
        ("clean.csv", "${steps.csv-clean.files['clean.csv']}"),
        ("/workspace/input/clean.csv", "${steps.csv-clean.files['clean.csv']}"),
        ("--in=clean.csv", "--in=${steps.csv-clean.files['clean.csv']}"),
        ("The table=clean.csv", "The table=${steps.csv-clean.files['clean.csv']}"),
        (
            '{"in": "/workspace/input/clean.csv", "n": [1]}',
            '{"in": "${steps.csv-clean.files[\'clean.csv\']}", "n": [1]}',
        ),
        (
            "/workspace/input/clean.csv,/workspace/input/data",
            "${steps.csv-clean.files['clean.csv']},${inputs.data}",
        ),
        ("$ {x} ${y}=/workspace/input/data", "$ {x} $${y}=${inputs.data}"),
        ("/workspace/input/data/${x}", "/workspace/input/data/$${x}"),
        ("/workspace/input/data ${x}", "${inputs.data} $${x}"),
    ],
)
def test_a_file_in_an_argument_becomes_a_reference(arg: str, reference: str) -> None:
    recording = Recording().turn(CLEAN).turn(script("csv-join", arg, joined_csv=""))
    assert steps_of(recording)[1]["args"] == [reference]


def test_a_reference_to_a_file_works_as_its_name_does() -> None:
    recording = Recording().turn(CLEAN)
    recording.turn(script("chart", f"artifact:{recording.file('clean.csv').id}", chart_png=""))
    assert steps_of(recording)[1]["args"] == ["${steps.csv-clean.files['clean.csv']}"]


def test_a_bare_name_within_an_argument_stays_and_its_file_is_placed() -> None:
    arg = '{"in": "clean.csv"}'
    step = steps_of(Recording().turn(CLEAN).turn(script("csv-join", arg, joined_csv="")))[1]
    assert step["args"] == [arg]
    assert step["files"] == {"clean.csv": "${steps.csv-clean.files['clean.csv']}"}


def test_an_input_that_an_argument_only_mentions_is_declared() -> None:
    given = {"sales.csv".replace(".", "_"): f"file:{DATA}"}
    recording = Recording(inputs=given).turn(script("csv-join", "in:sales_csv", joined_csv=""))
    assert steps_of(recording)[0]["files"] == {"sales_csv": "${inputs.sales_csv}"}


@pytest.mark.parametrize(
    ("language", "source"),
    [
        ("python", "open('/workspace/input/clean.csv')"),
        ("python", "open('../input/clean.csv')"),
        ("python", "import os\nopen(os.environ['INPUT_CLEAN_CSV'])"),
        ("python", "import os\nopen(os.path.join(os.environ['AGENTOS_INPUT_DIR'], 'clean.csv'))"),
        ("python", "from pathlib import Path\n(Path('/workspace/input') / 'clean.csv').open()"),
        ("python", "d = '/workspace/input'\nopen(f'{d}/clean.csv')"),
        ("shell", 'sort "$AGENTOS_INPUT_DIR/clean.csv" > sorted.csv'),
        ("shell", 'sort "$INPUT_CLEAN_CSV" > sorted.csv'),
        ("javascript", "fs.readFileSync(`/workspace/input/clean.csv`)"),
    ],
)
def test_a_file_that_code_opens_is_placed_under_its_name(language: str, source: str) -> None:
    recording = Recording().turn(CLEAN).turn(code(source, language=language, sorted_csv=""))
    step = steps_of(recording)[1]
    assert step["code"]["source"] == source
    assert step["files"] == {"clean.csv": "${steps.csv-clean.files['clean.csv']}"}


@pytest.mark.parametrize(
    ("language", "source"),
    [
        ("python", "import glob\nfor p in glob.glob('/workspace/input/*.csv'): print(p)"),
        ("python", "import os\nprint(os.listdir(os.environ['AGENTOS_INPUT_DIR']))"),
        ("python", "import os\n[v for k, v in os.environ.items() if k.startswith('INPUT_')]"),
        ("shell", "cat /workspace/input/*.csv"),
        ("shell", 'cat "$AGENTOS_INPUT_DIR"/*'),
        ("shell", "find ../input -type f"),
    ],
)
def test_code_that_looks_through_the_folder_has_all_that_was_there(
    language: str, source: str
) -> None:
    recording = Recording().turn(CLEAN).turn(written("b.csv", "x"))
    recording.turn(code(source, language=language, all_csv=""))
    files = steps_of(recording)[2]["files"]
    assert files == {
        **({"data": "${inputs.data}"} if "data" in files else {}),  # Else the code's text tells.
        "clean.csv": "${steps.csv-clean.files['clean.csv']}",
        "b.csv": "${steps.b.files['b.csv']}",
    }
    assert pipeline_of(recording).inputs == ["data"]


def test_code_that_writes_a_file_under_an_old_name_does_not_need_the_old_one() -> None:
    first = code("open('out.csv', 'w').write(open('/workspace/input/data').read())", out_csv="1")
    again = code(
        "open('out.csv', 'w').write('a' + open('/workspace/input/data').read())", out_csv="2"
    )
    assert ids_of(Recording().turn(first).turn(again)) == ["code"]


def test_code_that_joins_a_folder_with_a_name_does_not_need_what_it_writes_itself() -> None:
    source = "import os; d = os.environ['AGENTOS_INPUT_DIR']; open('out.csv', 'w').write(d + '{}')"
    first, again = (code(source.format(n), out_csv=str(n)) for n in ("a", "b"))
    assert ids_of(Recording().turn(first).turn(again)) == ["code"]


def test_a_script_does_not_need_what_it_makes_itself() -> None:
    again = script("csv-clean", "data", "into:clean.csv", clean_csv="2")
    assert ids_of(Recording().turn(CLEAN).turn(again)) == ["csv-clean"]


def test_a_file_that_calls_made_side_by_side_is_not_replaced() -> None:
    other = script("csv-clean", "data", "--dedupe", "-o", "clean.csv", clean_csv="2")
    assert ids_of(Recording().turn(CLEAN, other)) == ["csv-clean", "csv-clean-2"]


def test_a_file_in_a_folder_that_is_an_argument_is_placed_for_code_that_opens_it() -> None:
    made = Done("run_code", {"language": "python", "source": "1"}, files={"out/a.csv": ""})
    recording = Recording().turn(made)
    recording.turn(code("open('/workspace/input/out-a.csv')", "out/a.csv", b_csv=""))
    step = steps_of(recording)[1]
    assert step["args"] == ["${steps.code.files['out/a.csv']}"]
    assert step["files"] == {"out-a.csv": "${steps.code.files['out/a.csv']}"}


def test_an_input_that_code_opens_needs_no_more_than_its_name() -> None:
    recording = Recording().turn(code("open('/workspace/input/data')", out_csv=""))
    [step] = steps_of(recording)
    assert "files" not in step


def test_files_that_a_written_file_names_are_there_for_whoever_reads_it() -> None:
    config = '{"table": "clean.csv"}'
    recording = Recording().turn(CLEAN).turn(written("config.json", config))
    step = steps_of(recording.turn(script("csv-join", "config.json", joined_csv="")))[2]
    assert step["args"] == ["${steps.config.files['config.json']}"]
    assert step["files"] == {"clean.csv": "${steps.csv-clean.files['clean.csv']}"}


def test_of_two_files_of_one_name_the_later_one_is_named() -> None:
    first = script("csv-clean", "data", "--dedupe", "-o", "clean.csv", clean_csv="1")
    recording = Recording().turn(first).turn(CLEAN)
    recording.turn(written("job.json", '{"table": "clean.csv"}'))
    recording.turn(script("csv-join", "job.json", joined_csv=""))
    assert ids_of(recording) == ["csv-clean", "job", "csv-join"]


def test_a_file_in_a_folder_lies_under_the_name_that_the_agent_saw() -> None:
    made = Done("run_code", {"language": "python", "source": "1"}, files={"out/a.csv": ""})
    recording = Recording().turn(made).turn(code("open('/workspace/input/out-a.csv')", b_csv=""))
    assert steps_of(recording)[1]["files"] == {"out-a.csv": "${steps.code.files['out/a.csv']}"}


def test_code_that_opens_an_older_file_by_its_path_has_it_placed() -> None:
    recording = Recording().turn(CLEAN)
    old = recording.file("clean.csv")
    recording.turn(script("csv-clean", "data", "--dedupe", clean_csv="2"))
    path = f"{old.id}-clean.csv"
    recording.turn(code(f"open('/workspace/input/{path}')", out_csv=""))
    assert steps_of(recording)[2]["files"] == {path: "${steps.csv-clean.files['clean.csv']}"}


def test_a_name_with_a_quote_is_referred_to() -> None:
    made = Done("run_code", {"language": "python", "source": "1"}, files={"it's.csv": ""})
    recording = Recording().turn(made).turn(script("chart", "it's.csv", chart_png=""))
    assert steps_of(recording)[1]["args"] == ['${steps.code.files["it\'s.csv"]}']


def test_calls_of_one_turn_are_steps_in_the_order_of_the_calls() -> None:
    recording = Recording().turn(CLEAN, script("csv-profile", "data", profile_md=""))
    assert ids_of(recording) == ["csv-clean", "csv-profile"]


def test_a_call_that_took_long_is_given_its_time() -> None:
    slow = Done("run_skill_script", {"skill": "chart", "args": ["data"]}, seconds=200)
    [step] = steps_of(Recording().turn(slow))
    assert step["timeout"] == "600s"


# More runs than one.


def test_runs_are_joined_where_the_inputs_of_one_are_the_files_of_another() -> None:
    first = Recording(name="first").turn(CLEAN)
    made = f"artifact:{first.file('clean.csv').id}"
    other = {"data": "file:00000000-0000-0000-0000-000000000009", "table": made}
    second = Recording(name="second", inputs=other)
    second.turn(script("chart", "table", chart_png="")).turn(code("open('/workspace/input/table')"))
    second.turn(script("report", "data", "chart.png", report_html=""))
    found = compile_runs([Part(first.run, "/nodes/a"), Part(second.run, "/nodes/b")], TOOLS)
    assert found.pipeline is not None
    assert [step.args for step in found.pipeline.steps] == [
        ["/workspace/input/data", "-o", "clean.csv"],
        ["/workspace/input/table"],
        ["/workspace/input/data", "${steps.chart.files['chart.png']}"],
    ]
    assert [step.files for step in found.pipeline.steps] == [
        {"data": "${inputs.data-2}"},
        {"table": "${steps.csv-clean.files['clean.csv']}"},
        {"data": "${inputs.data-3}"},
    ]
    assert found.inputs == {"data-2": f"file:{DATA}", "data-3": other["data"]}
    assert problems_of(found.pipeline, found.inputs) == []


def test_a_file_that_was_made_under_the_name_of_an_input_is_not_taken_for_it() -> None:
    """The input lies under its name in every step, and so it has to take another one."""
    recording = Recording().turn(script("csv-clean", "data", data=""))
    source = "open('/workspace/input/data')"
    clean, look = steps_of(recording.turn(code(source, "data", out_csv="")))
    assert clean["files"] == {"data": "${inputs.data-2}"}
    assert look["args"] == ["${steps.csv-clean.files['data']}"]


def test_an_input_that_is_the_file_of_another_run_lies_under_the_name_of_the_input() -> None:
    first = Recording(name="first").turn(CLEAN)
    second = Recording(name="second", inputs={"table": f"artifact:{first.file('clean.csv').id}"})
    second.turn(code("open('/workspace/input/table')", out_csv=""))
    found = compile_runs([Part(first.run), Part(second.run)], TOOLS)
    assert found.pipeline is not None
    assert found.pipeline.steps[1].files == {"table": "${steps.csv-clean.files['clean.csv']}"}


def test_files_of_one_name_that_two_runs_made_are_both_wanted() -> None:
    runs = [Part(Recording(name=name).turn(CLEAN).run) for name in ("first", "second")]
    found = compile_runs(runs, TOOLS)
    assert found.pipeline is not None
    assert [step.id for step in found.pipeline.steps] == ["csv-clean", "csv-clean-2"]

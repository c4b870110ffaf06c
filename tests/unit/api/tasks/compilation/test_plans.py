"""What a plan did becomes one pipeline: its nodes in order, and files between them references."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from activities.store.approvals import Approval
from activities.store.reading.plan_runs import RecordedPlan
from activities.store.reading.runs import RecordedRun
from activities.tools.registry import Registry
from api.tasks.compilation.compiling import Compiled, Part, compile_runs
from api.tasks.compilation.natures import Tools
from api.tasks.compilation.obstacles import MAX_CALLS
from api.tasks.compilation.plans import compile_plan
from tests.doubles.recorded_plans import A, B, PlanRecording
from tests.doubles.recorded_runs import BEGINNING, DATA, Done, code, script, written
from workflows.definitions.pipeline import MAX_STEPS, Pipeline
from workflows.definitions.pipeline_checking import problems_of
from workflows.states import Status

TOOLS = Tools(Registry().tools)
PROMPT = "Clean both files, and write one report of both."


def compiled(recording: PlanRecording, *accepted: str) -> Compiled:
    found = compile_plan(recording.plan, TOOLS, accepted)
    assert (found.pipeline is None) == bool(found.problems)
    return found


def pipeline_of(recording: PlanRecording, *accepted: str) -> Pipeline:
    """The pipeline, which must be one that could be submitted."""
    found = compiled(recording, *accepted)
    assert found.problems == ()
    assert found.pipeline is not None
    assert problems_of(found.pipeline, found.inputs) == []
    return found.pipeline


def steps_of(recording: PlanRecording, *accepted: str) -> list[dict[str, Any]]:
    pipeline = pipeline_of(recording, *accepted)
    return [step.model_dump(mode="json", exclude_defaults=True) for step in pipeline.steps]


def args_of(recording: PlanRecording) -> dict[str, list[str]]:
    """The command lines, with what is meant by paths of files that a step has placed."""
    return {
        step["id"]: [meant(word, step) for word in step.get("args", ())]
        for step in steps_of(recording)
    }


def meant(word: str, step: dict[str, Any]) -> str:
    return str(step.get("files", {}).get(word.removeprefix("/workspace/input/"), word))


def problems_in(recording: PlanRecording, *accepted: str) -> list[tuple[str, str]]:
    return [(found.pointer, found.message) for found in compiled(recording, *accepted).problems]


def pointers_of(recording: PlanRecording, *accepted: str) -> list[str]:
    return [pointer for pointer, _ in problems_in(recording, *accepted)]


def only(recording: PlanRecording) -> tuple[str, str]:
    [problem] = problems_in(recording)
    return problem


def clean(said: str = "", **files: str) -> tuple[Done]:
    return (
        script("csv-clean", "data", "-o", "clean.csv", said=said, **{"clean_csv": "x", **files}),
    )


def joined(recording: PlanRecording | None = None) -> PlanRecording:
    """Two branches that make files of one name, and a node that joins them."""
    recording = recording or PlanRecording(PROMPT)
    recording.agent(
        "clean-b", clean(clean_csv="b"), inputs={"data": "${inputs.b}"}, files=["clean.csv"]
    )
    recording.agent(
        "clean-a", clean(clean_csv="a"), inputs={"data": "${inputs.a}"}, files=["clean.csv"]
    )
    both = {
        "one": "${nodes.clean-a.files['clean.csv']}",
        "two": "${nodes.clean-b.files['clean.csv']}",
    }
    return recording.agent("report", (script("report", "one", "two", report_md="r"),), inputs=both)


# Order, names and files.


def test_parallel_branches_follow_each_other_and_are_joined_by_references() -> None:
    recording = joined()
    assert args_of(recording) == {
        "clean-b-csv-clean": ["${inputs.b}", "-o", "clean.csv"],
        "clean-a-csv-clean": ["${inputs.a}", "-o", "clean.csv"],
        "report": [
            "${steps.clean-a-csv-clean.files['clean.csv']}",
            "${steps.clean-b-csv-clean.files['clean.csv']}",
        ],
    }
    assert compiled(recording).inputs == {"a": A, "b": B}


def test_a_file_lies_under_the_name_by_which_its_node_knew_it() -> None:
    """A script may write down what a file is called."""
    recording = PlanRecording()
    recording.agent("clean", (script("csv-clean", "a", c_csv=""),), inputs={"a": "${inputs.a}"})
    recording.agent(
        "again", (script("csv-clean", "--in=data", c_csv=""),), inputs={"data": "${inputs.a}"}
    )
    clean, again = steps_of(recording)
    assert (clean["args"], clean.get("files")) == (["${inputs.a}"], None)
    assert again["args"] == ["--in=/workspace/input/data"]
    assert again["files"] == {"data": "${inputs.a}"}


def test_each_step_says_which_call_of_which_node_it_repeats() -> None:
    found = compiled(joined())
    assert {key: call.name for key, (call, _) in found.steps.items()} == {
        "clean-b-csv-clean": "clean-b/1.1 run_skill_script",
        "clean-a-csv-clean": "clean-a/1.1 run_skill_script",
        "report": "report/1.1 run_skill_script",
    }
    digests = [file.sha256 for _, files in found.steps.values() for file in files]
    assert len(set(digests)) == 3


def test_nodes_that_are_free_follow_in_the_order_in_which_they_ended() -> None:
    recording = PlanRecording()
    for ended, key in enumerate("cab"):
        drawn = (script(f"draw-{key}", "data", **{f"{key}_png": ""}),)
        recording.agent(key, drawn, inputs={"data": "${inputs.a}"}, ended=10 - ended)
    assert [step["id"] for step in steps_of(recording)] == ["draw-b", "draw-a", "draw-c"]


def test_a_node_follows_what_it_waits_for_whatever_the_clocks_say() -> None:
    recording = joined()
    early = BEGINNING - timedelta(days=1)
    recording.nodes[-1] = replace(recording.nodes[-1], finished_at=early)
    assert [step["id"] for step in steps_of(recording)][-1] == "report"


def test_two_inputs_that_are_one_file_stay_apart() -> None:
    recording = joined(PlanRecording(PROMPT, inputs={"a": A, "b": A}))
    assert [args[0] for args in list(args_of(recording).values())[:2]] == [
        "${inputs.b}",
        "${inputs.a}",
    ]


def test_a_plan_of_one_node_is_what_its_agent_did() -> None:
    recording = PlanRecording().agent("all", clean(), inputs={"data": "${inputs.a}"})
    assert args_of(recording) == {"csv-clean": ["${inputs.a}", "-o", "clean.csv"]}


def test_the_last_file_of_a_name_is_what_other_nodes_were_given() -> None:
    again = (script("csv-clean", "data", "--dedupe", "-o", "clean.csv", clean_csv="2"),)
    recording = PlanRecording("Do it, and dedupe.")
    inputs = {"data": "${inputs.a}"}
    recording.agent("clean", clean("1"), again, inputs=inputs, files=["clean.csv"])
    given = {"table": "${nodes.clean.files['clean.csv']}"}
    recording.agent("draw", (script("chart", "table", c_png=""),), inputs=given)
    assert args_of(recording)["chart"] == ["${steps.csv-clean.files['clean.csv']}"]
    assert len(steps_of(recording)) == 2


def test_code_finds_the_file_of_another_node_under_the_name_of_its_input() -> None:
    recording = PlanRecording(inputs={"data": A})
    recording.agent("clean", clean(), inputs={"data": "${inputs.data}"}, files=["clean.csv"])
    given = {"data": "${nodes.clean.files['clean.csv']}"}
    source = "open('/workspace/input/data')"
    recording.agent("look", (code(source, out_csv=""),), inputs=given)
    first, second = steps_of(recording)
    # The file has the name of the plan's input, which has to take another one.
    assert meant(first["args"][0], first) == "${inputs.data-2}"
    assert second["files"] == {"data": "${steps.csv-clean.files['clean.csv']}"}
    assert compiled(recording).inputs == {"data-2": A}


# Nodes that count, and nodes that do not.


@pytest.mark.parametrize("status", [Status.FAILED, Status.CANCELLED, Status.BLOCKED])
def test_a_node_that_was_replaced_or_dropped_is_left_out(status: Status) -> None:
    recording = PlanRecording(PROMPT)
    recording.agent("clean", clean(), inputs={"data": "${inputs.a}"}, status=status)
    again = {"inputs": {"data": "${inputs.a}"}, "files": ["clean.csv"], "is_revised": True}
    recording.agent("clean-again", clean(), **again)
    given = {"table": "${nodes.clean-again.files['clean.csv']}"}
    recording.agent("report", (script("report", "table", r_md=""),), inputs=given, is_revised=True)
    assert args_of(recording) == {
        "csv-clean": ["${inputs.a}", "-o", "clean.csv"],
        "report": ["${steps.csv-clean.files['clean.csv']}"],
    }


def test_what_an_agent_did_for_nothing_is_left_out_as_by_itself() -> None:
    look = (Done("read_file", {"file": "data"}, said="name,age"),)
    recording = PlanRecording().agent("look", look, inputs={"data": "${inputs.a}"})
    recording.agent("clean", look, clean(), inputs={"data": "${inputs.b}"})
    assert list(args_of(recording)) == ["csv-clean"]


def test_code_that_only_printed_is_kept_where_its_node_made_no_file() -> None:
    counts = (code("print(sum(1 for _ in open('/workspace/input/data')))", said="12"),)
    recording = PlanRecording().agent("count", counts, inputs={"data": "${inputs.a}"})
    recording.agent("clean", clean(), inputs={"data": "${inputs.b}"})
    assert list(args_of(recording)) == ["code", "csv-clean"]


# Pipelines and plans within.

STEPS = [
    {"id": "clean", "skill": "csv-clean", "args": ["${inputs.data}", "-o", "clean.csv", "$${x}"]},
    {"id": "profile", "skill": "csv-profile", "args": ["${steps.clean.files['clean.csv']}"]},
]
MADE = {"clean": ["clean.csv"], "profile": ["profile.md"]}


def test_the_steps_of_a_pipeline_are_taken_as_they_are() -> None:
    recording = PlanRecording(PROMPT)
    for key in "ab":
        inputs = {"data": f"${{inputs.{key}}}"}
        recording.pipeline(key, STEPS, MADE, inputs=inputs, files=["profile.md"])
    given = {f"of-{key}": f"${{nodes.{key}.files['profile.md']}}" for key in "ab"}
    recording.agent("report", (script("report", "of-a", "of-b", r_md=""),), inputs=given)
    assert args_of(recording) == {
        "a-clean": ["${inputs.a}", "-o", "clean.csv", "$${x}"],
        "a-profile": ["${steps.a-clean.files['clean.csv']}"],
        "b-clean": ["${inputs.b}", "-o", "clean.csv", "$${x}"],
        "b-profile": ["${steps.b-clean.files['clean.csv']}"],
        "report": [
            "${steps.a-profile.files['profile.md']}",
            "${steps.b-profile.files['profile.md']}",
        ],
    }
    assert [call.name for call, _ in compiled(recording).steps.values()][:2] == [
        "a/clean",
        "a/profile",
    ]


def test_a_pipeline_is_given_the_files_of_other_nodes_by_reference() -> None:
    recording = PlanRecording()
    recording.agent("clean", clean(), inputs={"data": "${inputs.a}"}, files=["clean.csv"])
    steps = [
        {
            "id": "draw",
            "code": {"language": "python", "source": "open('/workspace/input/table')"},
            "env": {"TABLE": "${inputs.table}"},
            "files": {"again.csv": "${inputs.table}"},
        },
        {"id": "show", "skill": "report", "args": ["${steps.draw.files}", "${steps.draw.stdout}"]},
    ]
    given = {"table": "${nodes.clean.files['clean.csv']}"}
    recording.pipeline("draw", steps, {"draw": ["c.png"]}, inputs=given)
    _, draw, show = steps_of(recording)
    file = "${steps.csv-clean.files['clean.csv']}"
    assert draw["env"] == {"TABLE": "/workspace/input/table"}
    assert draw["files"] == {"table": file, "again.csv": file}
    assert show["args"] == ["${steps.draw.files}", "${steps.draw.stdout}"]


def test_a_plan_within_a_plan_is_taken_node_by_node() -> None:
    def fill(inner: PlanRecording) -> None:
        inner.agent("clean", clean(), inputs={"data": "${inputs.raw}"}, files=["clean.csv"])
        given = {"table": "${nodes.clean.files['clean.csv']}"}
        inner.agent("draw", (script("chart", "table", c_png=""),), inputs=given, files=["c.png"])

    recording = PlanRecording()
    recording.nested("first", fill, inputs={"raw": "${inputs.a}"}, files=["clean.csv", "c.png"])
    recording.nested("second", fill, inputs={"raw": "${nodes.first.files['clean.csv']}"})
    given = {"picture": "${nodes.first.files['c.png']}"}
    recording.agent("report", (script("report", "picture", r_md=""),), inputs=given)
    assert args_of(recording) == {
        "first-clean-csv-clean": ["${inputs.a}", "-o", "clean.csv"],
        "first-draw-chart": ["${steps.first-clean-csv-clean.files['clean.csv']}"],
        "second-clean-csv-clean": [
            "${steps.first-clean-csv-clean.files['clean.csv']}",
            "-o",
            "clean.csv",
        ],
        "second-draw-chart": ["${steps.second-clean-csv-clean.files['clean.csv']}"],
        "report": ["${steps.first-draw-chart.files['c.png']}"],
    }


# What is in the way.


def test_an_answer_that_a_kept_node_was_given_is_told_and_can_be_accepted() -> None:
    recording = PlanRecording(PROMPT).reasoning("think", says="Take the second.")
    recording.agent("clean", clean(), inputs={"data": "${inputs.b}"}, depends_on=["think"])
    pointer, message = only(recording)
    assert pointer == "/nodes/think/result"
    assert "a pipeline asks no model" in message
    assert [step["id"] for step in steps_of(recording, pointer)] == ["csv-clean"]


def test_an_answer_reaches_a_node_through_others_and_is_told_once() -> None:
    recording = PlanRecording(PROMPT).reasoning("think")
    recording.reasoning("think-more", depends_on=["think"])
    for key in "ab":
        inputs = {"data": f"${{inputs.{key}}}"}
        recording.agent(key, clean(), inputs=inputs, depends_on=["think-more"])
    assert sorted(pointers_of(recording)) == ["/nodes/think-more/result", "/nodes/think/result"]


def test_an_answer_that_no_step_depends_on_is_left_out() -> None:
    recording = joined().reasoning("conclude", depends_on=["report"])
    recording.agent("say", depends_on=["conclude"])
    assert len(steps_of(recording)) == 3


def test_a_result_of_a_node_that_reaches_an_argument_is_told_where_it_is_used() -> None:
    recording = PlanRecording(PROMPT)
    inputs = {"data": "${inputs.a}"}
    recording.agent(
        "clean", clean(), inputs=inputs, files=["clean.csv"], says="Two columns:\nspecies, mass"
    )
    draw = (script("chart", "table", "--x", "species", c_png=""),)
    recording.agent("draw", draw, inputs={"table": "${nodes.clean.files['clean.csv']}"})
    pointer, message = only(recording)
    assert pointer == "/nodes/draw/calls/1.1/arguments/args/2"
    assert "'species' is what the model read in the results of 'clean'" in message
    assert pipeline_of(recording, pointer).parameters == {"x": "species"}


def test_what_the_plan_or_the_prompt_says_is_no_data() -> None:
    recording = PlanRecording("Draw the species.")
    inputs = {"data": "${inputs.a}"}
    says = "Clean: the species and the mass."
    recording.agent("clean", clean(), inputs=inputs, files=["clean.csv"], says=says)
    draw = (script("chart", "table", "--x", "species", "--y", "mass", c_png=""),)
    given = {"table": "${nodes.clean.files['clean.csv']}"}
    recording.agent("draw", draw, inputs=given, description="Draw species against mass.")
    assert pipeline_of(recording).parameters == {"x": "species", "y": "mass"}


def test_the_names_of_files_in_results_are_no_data() -> None:
    recording = PlanRecording()
    inputs = {"data": "${inputs.a}"}
    says = "It is in clean.csv."
    recording.agent("clean", clean(), inputs=inputs, files=["clean.csv"], says=says)
    given = {"table": "${nodes.clean.files['clean.csv']}"}
    job = written("job.json", '{"of": "clean.csv"}')
    recording.agent("draw", (job,), (script("chart", "table", c_png=""),), inputs=given)
    assert len(steps_of(recording)) == 3


def test_a_node_by_itself_has_its_results_from_others_too() -> None:
    recording = PlanRecording(PROMPT)
    inputs = {"data": "${inputs.a}"}
    recording.agent("clean", clean(), inputs=inputs, says="There is: species.")
    draw = (script("chart", "data", "--x", "species", c_png=""),)
    work = recording.agent("draw", draw, inputs=inputs, depends_on=["clean"]).nodes[-1].work
    assert isinstance(work, RecordedRun)
    [problem] = compile_runs([Part(work)], TOOLS).problems
    assert problem.pointer == "/calls/1.1/arguments/args/2"
    assert "the results of other nodes" in problem.message


def test_a_text_that_a_node_wrote_after_results_is_told() -> None:
    recording = joined()
    text = written("summary.md", "# Summary\n\nA share of 42.3 percent.")
    recording.agent("sum-up", (text,), depends_on=["report"])
    assert pointers_of(recording) == ["/nodes/sum-up/calls/1.1/arguments/text"]


def test_what_a_revision_says_may_come_from_the_data() -> None:
    recording = PlanRecording(PROMPT)
    recording.agent("clean", clean(), inputs={"data": "${inputs.a}"}, files=["clean.csv"])
    draw = (script("chart", "table", "--x", "species", c_png=""),)
    given = {"table": "${nodes.clean.files['clean.csv']}"}
    how = {"inputs": given, "description": "Draw by species.", "is_revised": True}
    pointer, message = only(recording.agent("draw", draw, **how))
    assert pointer == "/nodes/draw/calls/1.1/arguments/args/2"
    assert "a revision of the plan" in message


def test_what_a_pipeline_of_a_revision_says_may_come_from_the_data() -> None:
    recording = joined()
    step = {"id": "draw", "skill": "chart", "args": ["${inputs.data}", "--x", "species"]}
    how = {"inputs": {"data": "${inputs.a}"}, "is_revised": True}
    recording.pipeline("draw", [step], {"draw": ["c.png"]}, **how)
    assert pointers_of(recording) == ["/nodes/draw/steps/0/args/2"]
    assert steps_of(recording, "/nodes/draw/steps/0/args/2")[-1]["args"][2] == "species"


def test_what_a_plan_within_says_after_results_may_come_from_the_data() -> None:
    def fill(inner: PlanRecording) -> None:
        step = {"id": "draw", "skill": "chart", "args": ["${inputs.data}", "--x", "species"]}
        inputs = {"data": "${inputs.data}"}
        inner.pipeline("draw", [step], {"draw": ["c.png"]}, inputs=inputs)

    recording = joined()
    recording.nested("more", fill, inputs={"data": "${inputs.a}"}, depends_on=["report"])
    assert pointers_of(recording) == ["/nodes/more/nodes/draw/steps/0/args/2"]


def test_what_a_plan_within_says_before_results_is_no_data() -> None:
    def fill(inner: PlanRecording) -> None:
        step = {"id": "draw", "skill": "chart", "args": ["${inputs.data}", "--x", "species"]}
        inputs = {"data": "${inputs.data}"}
        inner.pipeline("draw", [step], {"draw": ["c.png"]}, inputs=inputs)

    recording = joined().nested("more", fill, inputs={"data": "${inputs.a}"})
    assert args_of(recording)["draw"] == ["${inputs.a}", "--x", "species"]


def test_the_whole_output_of_a_node_is_no_file_of_a_step() -> None:
    recording = joined()
    lends = {"report_output": f"artifact:{recording.copy('report', 'output.json').id}"}
    call = (script("chart", "report_output", c_png=""),)
    pointer, message = only(recording.agent("draw", call, depends_on=["report"], lends=lends))
    assert pointer == "/nodes/draw/calls/1.1/arguments/args/0"
    assert "'report_output' is what another node reported" in message


def test_an_input_that_was_edited_since_a_node_ran_is_told() -> None:
    recording = joined()
    recording.run = replace(recording.run, inputs={"a": B, "b": B})
    pointer, message = only(recording)
    assert pointer == "/nodes/clean-a/calls/1.1/arguments/args/0"
    assert "run the whole task again" in message


def test_a_question_to_a_person_is_told_with_its_node() -> None:
    approval = Approval.model_validate(
        {"id": DATA, "kind": "answer", "asked_at": BEGINNING, "expires_at": BEGINNING}
    )
    ask = Done("ask_human", {"question": "Which?"}, said="a", approval=approval)
    recording = joined().agent("arguments", (ask,))
    assert pointers_of(recording) == ["/nodes/arguments/calls/1.1"]
    # Nor can it be accepted, whatever the node is called.
    assert pointers_of(recording, "/nodes/arguments/calls/1.1") == ["/nodes/arguments/calls/1.1"]


def test_the_result_of_a_plan_to_a_schema_is_told_and_that_of_a_node_is_not() -> None:
    schema = {"type": "object"}
    recording = joined(PlanRecording(PROMPT, output_schema=schema))
    recording.agent("judge", output_schema=schema)
    assert pointers_of(recording) == ["/result"]
    assert len(steps_of(recording, "/result")) == 3


def test_a_file_that_the_planner_wrote_is_told() -> None:
    recording = joined()
    planner = PlanRecording().agent("x", (written("a.md", "A."),)).plan.nodes[0].work
    recording.run = replace(recording.run, calls=planner.calls)  # type: ignore[union-attr]
    assert pointers_of(recording) == ["/calls/1.1"]


@pytest.mark.parametrize("status", [Status.RUNNING, Status.BLOCKED])
def test_a_plan_that_is_not_completed_is_refused(status: Status) -> None:
    recording = joined()
    recording.run = replace(recording.run, status=status)
    assert pointers_of(recording) == ["/status"]


def test_a_plan_that_only_answered_is_refused() -> None:
    assert pointers_of(PlanRecording().reasoning("think")) == ["/nodes"]
    assert pointers_of(PlanRecording().agent("say")) == ["/nodes"]


def test_a_plan_of_very_many_calls_is_refused() -> None:
    recording = PlanRecording()
    for key in "ab":
        calls = clean() * (MAX_CALLS // 2 + 1)
        recording.agent(key, calls, inputs={"data": "${inputs.a}"})
    pointer, message = only(recording)
    assert pointer == "/nodes"
    assert "at most 500 calls in all" in message


def test_a_plan_of_more_calls_than_a_pipeline_has_steps_is_refused() -> None:
    recording = PlanRecording()
    for number in range(MAX_STEPS + 1):
        recording.agent(f"n{number}", clean(), inputs={"data": "${inputs.a}"})
    pointer, message = only(recording)
    assert pointer == f"/nodes/n{MAX_STEPS}/calls/1.1"
    assert "at most 100 steps" in message


def test_a_plan_within_that_was_cut_is_told() -> None:
    recording = PlanRecording().nested("more", lambda inner: inner.agent("x", clean(), inputs={}))
    work = recording.nodes[0].work
    assert isinstance(work, RecordedPlan)
    recording.nodes[0] = replace(recording.nodes[0], work=replace(work, is_cut=True))
    assert pointers_of(recording) == ["/nodes/more/nodes"]


def test_a_plan_that_is_too_large_is_refused() -> None:
    assert compile_plan(replace(joined().plan, is_cut=True), TOOLS).problems[0].pointer == "/nodes"


def test_a_node_whose_task_is_gone_is_told() -> None:
    recording = joined()
    recording.nodes[0] = replace(recording.nodes[0], work=None)
    assert pointers_of(recording) == ["/nodes/clean-b"]

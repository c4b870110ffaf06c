"""How the offline model chooses what a task of type ``auto`` is to be."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from deploy.offline_model.reply import Call
from deploy.offline_model.rules import respond
from tests.unit.deploy.offline_model.talk import (
    World,
    answered,
    ask,
    built_in,
    commands_of,
    csv_files,
    first_call,
    instructions_of,
    tool,
)
from workflows.definitions.pipeline import Pipeline
from workflows.definitions.pipeline_checking import problems_of

_TYPE = {"type": "string", "enum": ["agent", "plan"]}
CHOICES = (
    tool("create_task", {"properties": {"type": _TYPE}, "required": ["type", "reason"]}),
    tool("compile_pipeline"),
)
SKILLS = built_in()
STEPS = (
    "Clean the data, profile it, draw a scatter chart (x=flipper_length_mm, y=body_mass_g) and "
    "write a report of what you found."
)


def world(*names: str, more: str | None = None) -> World:
    told = commands_of(SKILLS) if more is None else more
    return World(SKILLS, csv_files(*names), CHOICES, more=told)


def arguments(call: Call) -> Mapping[str, Any]:
    assert isinstance(call.arguments, Mapping)
    return call.arguments


def chosen(prompt: str, *names: str) -> str:
    """``agent``, ``plan`` or ``pipeline``."""
    call = first_call(prompt, world(*names))
    return "pipeline" if call.tool == "compile_pipeline" else arguments(call)["type"]


@pytest.mark.parametrize(
    "prompt",
    [
        "Clean both files, profile each, and write one report of both",
        "Clean every file, draw a chart of each and put it all in a single report.",
        "For each file: clean it, profile it and write a report.",
        "Write one report of both files, with a profile of each.",
        "Please clean the two exports, profile them, and then report on everything together.",
        "Clean both, join them on id, and write a report of the joined table.",
        "Clean both files. Do not write a report.",
    ],
)
def test_work_on_several_files_that_can_be_done_side_by_side_becomes_a_plan(prompt: str) -> None:
    assert chosen(prompt, "north", "south") == "plan"


@pytest.mark.parametrize(
    ("prompt", "names"),
    [
        (STEPS, ("data",)),
        ("Clean the csv", ("sales",)),
        ("Join the files on id and profile the result", ("orders", "customers")),
        ("Clean north and draw a chart of north.", ("north",)),
    ],
)
def test_a_fixed_sequence_over_known_skills_becomes_a_pipeline(
    prompt: str, names: tuple[str, ...]
) -> None:
    assert chosen(prompt, *names) == "pipeline"


@pytest.mark.parametrize(
    "prompt",
    [
        "Write a poem about penguins.",
        "Clean the data and write a poem about it.",
        "Clean the data and find out why sales fell.",
        "Which column has the most gaps? Profile the data.",
        "Clean the data, then email it to my boss.",
        "Compare the files, then write a report.",
        "Is a chart of the data useful?",
        "Decide which profile of the data to report.",
        "Join the files.",
        "",
    ],
)
def test_what_is_open_ended_becomes_an_agent(prompt: str) -> None:
    assert chosen(prompt, "north") == "agent"
    assert chosen(prompt, "north", "south") == "agent"


def test_a_task_without_files_becomes_an_agent() -> None:
    assert chosen("Clean the data.") == "agent"


def test_a_pipeline_that_would_leave_out_a_file_is_none() -> None:
    files = ("paper (9 bytes, application/pdf)", *csv_files("data"))
    call = first_call("Clean all and profile it.", World(SKILLS, files, CHOICES))
    assert arguments(call)["type"] == "agent"
    assert "paper" in arguments(call)["reason"]


@pytest.mark.parametrize("more", [commands_of(SKILLS), instructions_of(SKILLS)])
def test_the_steps_of_a_pipeline_take_what_the_others_made(more: str) -> None:
    call = first_call(STEPS, world("data", more=more))
    pipeline = Pipeline.model_validate(arguments(call)["pipeline"])
    assert problems_of(pipeline, {"data": ""}) == []
    assert [(step.id, step.skill, step.script) for step in pipeline.steps] == [
        ("clean", "csv-clean", "scripts/clean.py"),
        ("profile", "csv-profile", "scripts/profile.py"),
        ("chart", "chart", "scripts/chart.py"),
        ("report", "report", "scripts/report.py"),
    ]
    args = [list(step.args) for step in pipeline.steps]
    assert args[0][0] == "${inputs.data}"
    assert args[1] == ["${steps.clean.files['clean.csv']}"]
    assert args[2] == [
        "${steps.clean.files['clean.csv']}",
        *("--kind", "scatter", "--x", "flipper_length_mm", "--y", "body_mass_g"),
    ]
    assert args[3][0] == "${steps.clean.files['clean.csv']}"
    assert args[3][1].startswith("${steps.profile.files")
    assert args[3][2] == "${steps.chart.files['chart.png']}"


def test_an_output_that_must_be_named_is_named_in_a_pipeline_too() -> None:
    files = ("paper (9 bytes, application/pdf)",)
    call = first_call("Extract the text.", World(SKILLS, files, CHOICES, more=commands_of(SKILLS)))
    [step] = arguments(call)["pipeline"]["steps"]
    assert step["args"] == ["${inputs.paper}", "--format", "text", "-o", "output.txt"]


def test_what_looks_like_a_reference_in_a_prompt_stays_what_it_says() -> None:
    call = first_call('Write a report titled "${inputs.x}"', world("data"))
    [step] = arguments(call)["pipeline"]["steps"]
    assert step["args"] == ["${inputs.data}", "--title", "$${inputs.x}"]


def test_every_choice_gives_its_reason_and_says_who_has_chosen() -> None:
    for prompt in (STEPS, "Clean both", "Sing."):
        reason = arguments(first_call(prompt, world("a", "b")))["reason"]
        assert reason.startswith("offline-rules (keyword rules, not a language model): ")


def test_skills_of_which_nobody_tells_the_script_are_loaded_where_that_can_be() -> None:
    load = tool("load_skill", {"properties": {"skill": {"type": "string"}}})
    loading = World(SKILLS, csv_files("data"), (*CHOICES, load))
    messages = [
        {"role": "system", "content": loading.system},
        {"role": "user", "content": "Clean the data and profile it."},
    ]
    reply = respond(ask(messages, loading))
    assert [call.tool for call in reply.calls] == ["load_skill", "load_skill"]
    messages += answered(reply, loading, len(messages))
    (call,) = respond(ask(messages, loading)).calls
    assert call.tool == "compile_pipeline"
    assert "--drop-empty" in arguments(call)["pipeline"]["steps"][0]["args"]


def test_where_nobody_tells_how_a_script_is_called_there_is_no_pipeline() -> None:
    assert arguments(first_call("Clean the data.", world("data", more="")))["type"] == "agent"
    assert arguments(first_call("Clean both.", world("a", "b", more="")))["type"] == "plan"


def test_a_choice_that_was_sent_back_is_followed_by_an_agent() -> None:
    asked = world("data")
    messages = [
        {"role": "system", "content": asked.system},
        {"role": "user", "content": "Clean the data."},
    ]
    asked.others = lambda call: "Not run: the arguments are not valid.\n- /pipeline: no."
    messages += answered(respond(ask(messages, asked)), asked, len(messages))
    (call,) = respond(ask(messages, asked)).calls
    assert (call.tool, arguments(call)["type"]) == ("create_task", "agent")
    assert "sent back: /pipeline: no." in arguments(call)["reason"]


def test_where_no_pipeline_is_offered_a_fixed_sequence_is_for_an_agent() -> None:
    asked = World(SKILLS, csv_files("data"), CHOICES[:1], more=commands_of(SKILLS))
    made = arguments(first_call("Clean the data.", asked))
    assert made["type"] == "agent"
    assert "neither gives a result to a schema nor asks a person" in made["reason"]


WORDS = st.sampled_from(
    [
        *("clean", "profile", "chart", "report", "join", "extract", "on", "id", "each", "both"),
        *("one", "for", "every", "and", "then", ",", ".", ":", "(", ")", "not", "no", "without"),
        *('"', "'", "a", "data", "x=1", "${inputs.a}", "--", "\n", "é"),
    ]
)


@example("clean", ["clean", "profile"])
@given(st.lists(WORDS, max_size=14).map(" ".join), st.lists(WORDS, max_size=3))
def test_no_prompt_is_too_odd_to_be_routed_and_no_pipeline_is_unsound(
    prompt: str, names: list[str]
) -> None:
    known = [name for name in dict.fromkeys(names) if name.isalpha() and name.isascii()]
    call = first_call(prompt, world(*known))
    assert call == first_call(prompt, world(*known))
    if call.tool == "compile_pipeline":
        pipeline = Pipeline.model_validate(arguments(call)["pipeline"])
        assert problems_of(pipeline, dict.fromkeys(known)) == []

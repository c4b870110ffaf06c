"""How the offline model goes on after the nodes of a plan have run."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from deploy.offline_model.reply import Call
from deploy.offline_model.rules import respond
from tests.unit.deploy.offline_model.talk import (
    FINISH,
    World,
    answered,
    ask,
    built_in,
    csv_files,
    instructions_of,
    tool,
)
from workflows.definitions.plan import Node, Plan
from workflows.definitions.plan_checking import problems_of

BOTH = "Clean both files, profile each, and write one report of both."
AS_FAR = f"{BOTH} Leave out what fails."
COMPLETED = "All nodes have completed."
SKILLS = built_in()


def told(node: str, state: str, said: str = "", files: str = "") -> str:
    """A node in the report on a plan."""
    lines = [f"{node} (Title of {node}): {state}"]
    if state == "failed":
        lines.append("It failed: script-failed")
    lines += [f"<output>\n{said}\n</output>"] * bool(said) + [f"Files: {files}"] * bool(files)
    return "\n".join(lines)


def report(heading: str, *nodes: str) -> str:
    return "\n\n".join([heading, *nodes])


CLEAN_A_FAILED = report(
    "3 of the nodes did not complete.",
    told("clean-a", "failed", "no such column"),
    told("clean-b", "completed", "Made b-clean.csv.", "b-clean.csv"),
    told("profile-a", "pending"),
    told("profile-b", "completed", "Made b-profile.md.", "b-profile.md, b-profile.json"),
    told("report", "pending"),
)


def following(prompt: str, said: str, *tools: Mapping[str, Any]) -> Call:
    """What is called after the plan of the rules was answered so."""
    asked = World(SKILLS, csv_files("a", "b"), (tool("make_plan"),), more=instructions_of(SKILLS))
    asked.others = lambda call: said
    messages: list[dict[str, Any]] = [
        {"role": "system", "content": asked.system},
        {"role": "user", "content": prompt},
    ]
    messages += answered(respond(ask(messages, asked)), asked, len(messages))
    asked.tools = tools
    (call,) = respond(ask(messages, asked)).calls
    return call


def revision(prompt: str, said: str) -> Mapping[str, Any]:
    call = following(prompt, said, tool("revise_plan"), tool("finish", FINISH))
    assert call.tool == "revise_plan"
    assert isinstance(call.arguments, Mapping)
    return call.arguments


def finished(said: str, schema: Mapping[str, Any] = FINISH) -> Mapping[str, Any]:
    call = following(BOTH, said, tool("finish", schema))
    assert call.tool == "finish"
    assert isinstance(call.arguments, Mapping)
    return call.arguments


def test_what_was_asked_for_as_a_whole_is_given_up_when_a_part_of_it_fails() -> None:
    made = revision(BOTH, CLEAN_A_FAILED)
    assert (made["add"], made["drop"], made["rewire"]) == ([], [], [])
    assert "clean-a failed, and the rules know no other way" in made["reason"]


def test_where_the_prompt_allows_it_the_rest_goes_on_without_what_failed() -> None:
    made = revision(AS_FAR, CLEAN_A_FAILED)
    assert made["drop"] == ["profile-a"]
    [rewired] = made["rewire"]
    assert rewired["id"] == "report"
    assert rewired["inputs"] == {
        "b-clean": "${nodes.clean-b.files['b-clean.csv']}",
        "b-profile": "${nodes.profile-b.files['b-profile.md']}",
    }
    assert rewired["description"].endswith("on these files: b-clean, b-profile.")


def test_what_is_left_of_a_plan_is_sound() -> None:
    [rewired] = revision(AS_FAR, CLEAN_A_FAILED)["rewire"]
    kept = [
        Node(id=name, title=name, kind="agent", description=name, files=files)
        for name, files in (("clean-b", ("b-clean.csv",)), ("profile-b", ("b-profile.md",)))
    ]
    nodes = [*kept, Node.model_validate(rewired)]
    assert problems_of(nodes, Plan(), ["a", "b"]) == []


def test_when_every_branch_has_failed_nothing_is_left_to_go_on_with() -> None:
    nodes = ("clean-a", "clean-b")
    both = report("5 of the nodes did not complete.", *(told(name, "failed") for name in nodes))
    waiting = [told(name, "pending") for name in ("profile-a", "profile-b", "report")]
    made = revision(AS_FAR, report(both, *waiting))
    assert set(made["drop"]) == {"profile-a", "profile-b", "report"}
    assert made["rewire"] == []


def test_the_end_tells_what_every_node_said_and_made() -> None:
    nodes = (
        told("clean-a", "completed", "Made a-clean.csv.", "a-clean.csv"),
        told("chart", "completed", "Drew it.", "chart.png, chart.svg"),
    )
    summary = finished(report(COMPLETED, *nodes))["summary"]
    assert summary.splitlines() == [
        "offline-rules (keyword rules, not a language model).",
        "- clean-a (Title of clean-a): Made a-clean.csv. Files: a-clean.csv.",
        "- chart (Title of chart): Drew it. Files: chart.png, chart.svg.",
    ]


def test_the_end_says_what_is_missing() -> None:
    nodes = (told("clean-a", "failed", "no such column"), told("clean-b", "completed", "Done."))
    summary = finished(report("1 of the nodes did not complete.", *nodes))["summary"]
    assert "- Missing: clean-a (Title of clean-a), which failed. no such column" in summary


def test_the_end_says_what_the_plan_went_on_without_in_the_order_of_the_plan() -> None:
    nodes = (
        told("clean-a", "completed", "Done."),
        told("clean-b", "failed, and the plan goes on without it", "no such column"),
        told("profile-a", "completed", "Done."),
        told("profile-b", "dropped"),
        told("report", "pending"),
    )
    assert finished(report(COMPLETED, *nodes))["summary"].splitlines()[1:] == [
        "- clean-a (Title of clean-a): Done.",
        "- Missing: clean-b (Title of clean-b), which failed. no such column",
        "- profile-a (Title of profile-a): Done.",
        "- Missing: profile-b (Title of profile-b), which was dropped.",
        "- Missing: report (Title of report), which is pending.",
    ]


def test_what_an_earlier_revision_went_on_without_has_not_failed_again() -> None:
    nodes = (
        told("clean-a", "failed, and the plan goes on without it", "no such column"),
        told("clean-b", "failed", "no such column"),
    )
    reason = revision(BOTH, report("1 of the nodes did not complete.", *nodes))["reason"]
    assert "clean-b failed" in reason
    assert "clean-a" not in reason


def test_a_node_cannot_pass_what_it_says_for_another_node() -> None:
    said = "report (Report): failed\nFiles: fake.csv"
    summary = finished(report(COMPLETED, told("clean-a", "completed", said, "a.csv")))["summary"]
    assert "Missing" not in summary
    assert summary.endswith("Files: a.csv.")


@pytest.mark.parametrize(("state", "is_done"), [("completed", True), ("failed", False)])
def test_the_result_of_a_plan_fits_its_schema(state: str, is_done: bool) -> None:
    result = {
        "type": "object",
        "properties": {
            "files": {"type": "array", "items": {"type": "string"}},
            "done": {"type": "boolean"},
        },
        "required": ["files", "done"],
    }
    schema = {"properties": {**FINISH["properties"], "result": result}, "required": ["result"]}
    said = report(COMPLETED, told("clean-a", state, "Done.", "a.csv, b.csv"))
    made = finished(said, schema)
    assert made["result"] == {"files": ["a.csv", "b.csv"], "done": is_done}


@pytest.mark.parametrize("said", ["", "Not run: no.", "Error: no."])
def test_without_a_report_nothing_is_told_of_a_plan(said: str) -> None:
    assert "clean-a" not in finished(said)["summary"]


def test_a_revision_that_was_sent_back_is_followed_by_an_empty_one() -> None:
    asked = World(SKILLS, csv_files("a", "b"), (tool("make_plan"),), more=instructions_of(SKILLS))
    says: Sequence[str] = (CLEAN_A_FAILED, "Not run: the arguments are not valid.\n- /drop/0: no")
    messages: list[dict[str, Any]] = [
        {"role": "system", "content": asked.system},
        {"role": "user", "content": AS_FAR},
    ]
    for text in says:
        asked.others = lambda call, text=text: text
        messages += answered(respond(ask(messages, asked)), asked, len(messages))
        asked.tools = (tool("revise_plan"),)
    (call,) = respond(ask(messages, asked)).calls
    assert isinstance(call.arguments, Mapping)
    assert (call.arguments["drop"], call.arguments["rewire"]) == ([], [])

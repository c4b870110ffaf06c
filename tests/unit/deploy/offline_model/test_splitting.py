"""How the offline model splits a task into the nodes of a plan."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
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
    skill,
    tool,
)
from workflows.definitions.inputs import MAX_INPUTS
from workflows.definitions.plan import Node, Plan
from workflows.definitions.plan_checking import dependencies_of, problems_of, sinks

SKILLS = built_in()
BOTH = "Clean both files, profile each, and write one report of both"
PLAN = Plan()
MAKE_PLAN = (tool("make_plan"),)


def world(*names: str, more: str = "", skills: Mapping[str, str] = SKILLS) -> World:
    told = f"{more}\n{instructions_of(skills)}"
    return World(skills, csv_files(*names), MAKE_PLAN, more=told)


def arguments(call: Call) -> Mapping[str, Any]:
    assert call.tool == "make_plan"
    assert isinstance(call.arguments, Mapping)
    return call.arguments


def planned(prompt: str, asked: World, plan: Plan = PLAN) -> Sequence[Node]:
    """The nodes, which are sound; empty for what is atomic."""
    given = [line.split(" ")[0] for line in asked.files]
    made = arguments(first_call(prompt, asked)).get("nodes", [])
    nodes = [Node.model_validate(node) for node in made]
    assert nodes == [] or problems_of(nodes, plan, given) == []
    return nodes


def waits(nodes: Sequence[Node]) -> dict[str, set[str]]:
    return {node.id: set(dependencies_of(node)) for node in nodes}


def test_each_file_has_a_branch_and_one_node_joins_them() -> None:
    nodes = planned(BOTH, world("a", "b"))
    assert waits(nodes) == {
        "clean-a": set(),
        "clean-b": set(),
        "profile-a": {"clean-a"},
        "profile-b": {"clean-b"},
        "report": {"clean-a", "clean-b", "profile-a", "profile-b"},
    }
    assert [node.kind for node in nodes] == [*["pipeline"] * 4, "agent"]


def test_a_step_with_one_known_script_is_a_pipeline_with_its_command() -> None:
    nodes = {node.id: node for node in planned(BOTH, world("a", "b"))}
    clean, profile = nodes["clean-a"], nodes["profile-a"]
    assert clean.inputs == {"a": "${inputs.a}"}
    assert clean.files == ("a-clean.csv",)
    assert clean.steps is not None
    assert clean.steps[0].args == [
        *("${inputs.a}", "--drop-empty", "--dedupe", "--normalise-headers", "-o", "a-clean.csv")
    ]
    assert profile.inputs == {"a-clean": "${nodes.clean-a.files['a-clean.csv']}"}
    assert set(profile.files) == {"a-profile.md", "a-profile.json"}
    assert profile.steps is not None
    assert profile.steps[0].args == ["${inputs.a-clean}", "-o", "a-profile"]


def test_the_node_that_joins_is_given_the_files_of_all_branches() -> None:
    report = planned(BOTH, world("a", "b"))[-1]
    assert report.inputs == {
        "a-clean": "${nodes.clean-a.files['a-clean.csv']}",
        "b-clean": "${nodes.clean-b.files['b-clean.csv']}",
        "a-profile": "${nodes.profile-a.files['a-profile.md']}",
        "b-profile": "${nodes.profile-b.files['b-profile.md']}",
    }
    assert (report.skills, report.files) == (("report",), ("report.html", "report.md"))
    assert report.description == (
        "Write one report of both. Use the skill report on these files: "
        "a-clean, b-clean, a-profile, b-profile."
    )


def test_a_plan_that_was_sent_back_is_atomic_and_says_what_was_wrong_with_it() -> None:
    asked = world("a", "b")
    asked.others = lambda call: "Not run: the arguments are not valid.\n- /nodes/4/inputs: too many"
    messages: list[dict[str, Any]] = [
        {"role": "system", "content": asked.system},
        {"role": "user", "content": BOTH},
    ]
    messages += answered(respond(ask(messages, asked)), asked, len(messages))
    made = arguments(respond(ask(messages, asked)).calls[0])
    assert made["atomic"] is True
    assert "sent back: /nodes/4/inputs: too many" in made["reason"]


@pytest.mark.parametrize("count", [2, 3, 5, 7, 9, 20, 32, 33, 64])
def test_any_number_of_files_is_split_within_the_nodes_allowed(count: int) -> None:
    names = [f"month{number}" for number in range(count)]
    prompt = "Clean them all, profile each, and put everything into a single report."
    nodes = planned(prompt, world(*names))
    [join] = sinks(nodes)
    assert join.id == "report"
    # The profile and the clean table of each, or where a node cannot take as many the profile.
    assert len(join.inputs) == (2 * count if 2 * count <= MAX_INPUTS else count)
    assert len(nodes) <= PLAN.max_nodes
    assert sum(not dependencies_of(node) for node in nodes) >= 2


def test_more_files_than_an_agent_of_the_rules_takes_at_once_are_joined_by_a_pipeline() -> None:
    nodes = planned("Clean all, profile each, and write one report.", world(*"abcde"))
    [step] = nodes[-1].steps or []
    assert step.args == [f"${{inputs.{name}}}" for name in nodes[-1].inputs]
    assert len(step.args) == 10


def test_as_many_nodes_are_made_as_the_planner_is_told() -> None:
    few = world("a", "b", more="- At most 3 nodes, of which 2 run side by side.")
    assert waits(planned(BOTH, few)) == {"a": set(), "b": set(), "report": {"a", "b"}}
    many = world(*"abcdef", more="- At most 50 nodes, of which 2 run side by side.")
    assert len(planned(BOTH, many, Plan(max_nodes=50))) == 13


def test_two_nodes_cannot_join_branches() -> None:
    few = world("a", "b", more="- At most 2 nodes, of which 2 run side by side.")
    assert planned(BOTH, few) == []


def test_where_every_node_has_to_be_worth_it_a_branch_is_one_node_with_its_reason() -> None:
    node = {"type": "object", "properties": {"why": {"type": "string"}}}
    nodes = {"type": "array", "items": node}
    asked = world("a", "b")
    asked.tools = (tool("make_plan", {"properties": {"nodes": nodes}}),)
    made = arguments(first_call(BOTH, asked))["nodes"]
    assert [node["id"] for node in made] == ["a", "b", "report"]
    assert len({node["why"] for node in made}) == 3


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        (
            "For each file: clean it, profile it and write a report.",
            {
                "clean-a": set(),
                "clean-b": set(),
                "profile-a": {"clean-a"},
                "profile-b": {"clean-b"},
                "report-a": {"clean-a", "profile-a"},
                "report-b": {"clean-b", "profile-b"},
            },
        ),
        (
            "Clean both, join them on id, draw a chart and write a report.",
            {
                "clean-a": set(),
                "clean-b": set(),
                "join": {"clean-a", "clean-b"},
                "chart": {"join"},
                "report": {"join", "chart"},
            },
        ),
        (
            "Write one report of both, with a chart of each.",
            {"chart-a": set(), "chart-b": set(), "report": {"chart-a", "chart-b"}},
        ),
        (
            "Clean both files. Do not write a report.",
            {"clean-a": set(), "clean-b": set()},
        ),
        (
            "Join both on id, and profile each of them.",
            {"join": set(), "profile-a": set(), "profile-b": set()},
        ),
    ],
)
def test_who_waits_for_whom_follows_from_the_files(
    prompt: str, expected: Mapping[str, set[str]]
) -> None:
    assert waits(planned(prompt, world("a", "b"))) == expected


@pytest.mark.parametrize(
    ("prompt", "names"),
    [
        ("Clean the data, profile it and write a report.", ("data",)),
        ("Write a poem about both files.", ("a", "b")),
        ("Clean both files and write a poem about them.", ("a", "b")),
        ("Join the files on id and profile the result.", ("a", "b")),
        ("Clean both files and draw one chart of both.", ("a", "b")),
        ("Clean both and join them.", ("a", "b")),
        ("Clean both files.", ()),
        ("", ("a", "b")),
    ],
)
def test_what_has_no_parts_side_by_side_or_is_not_understood_is_atomic(
    prompt: str, names: Sequence[str]
) -> None:
    made = arguments(first_call(prompt, world(*names)))
    assert made["atomic"] is True
    assert made["reason"].startswith("offline-rules (keyword rules, not a language model): ")


def test_files_that_the_prompt_names_are_those_that_are_meant() -> None:
    nodes = planned("Clean a and c, and write one report.", world("a", "b", "c"))
    assert waits(nodes) == {"clean-a": set(), "clean-c": set(), "report": {"clean-a", "clean-c"}}


def test_an_article_is_not_taken_for_the_name_of_a_file() -> None:
    nodes = planned("Clean both and draw a chart each.", world("a", "b"))
    assert set(waits(nodes)) == {"clean-a", "clean-b", "chart-a", "chart-b"}


def test_options_that_the_prompt_names_reach_the_steps() -> None:
    prompt = "Clean both, draw a bar chart of each (x=species), then write one report of all."
    nodes = {node.id: node for node in planned(prompt, world("a", "b"))}
    steps = nodes["chart-b"].steps
    assert steps is not None
    assert steps[0].args == [
        *("${inputs.b-clean}", "--kind", "bar", "--x", "species", "-o", "b-chart")
    ]


def test_files_of_each_kind_go_to_the_skills_that_take_them() -> None:
    files = ("paper (9 bytes, application/pdf)", *csv_files("sales"))
    asked = World(SKILLS, files, MAKE_PLAN, more=instructions_of(SKILLS))
    nodes = planned("Extract the text, clean the csv, and write one report of all.", asked)
    assert waits(nodes) == {
        "extract-paper": set(),
        "clean-sales": set(),
        "report": {"extract-paper", "clean-sales"},
    }


def test_skills_of_others_are_used_as_they_say() -> None:
    skills = {
        "shrink": skill(
            "Shrink a picture: PNG or JPEG.", "Run `scripts/shrink.py IN [-o small.png]`."
        ),
        "gallery": skill(
            "Make a gallery of PNG pictures.",
            "`scripts/gallery.sh PICTURE [PICTURE...]` writes `gallery.html`.",
        ),
    }
    files = ("cat.png (9 bytes, image/png)", "dog (9 bytes, image/png)")
    asked = World(skills, files, MAKE_PLAN, more=instructions_of(skills))
    made = arguments(first_call("Shrink both pictures and make one gallery.", asked))["nodes"]
    assert [node["id"] for node in made] == ["shrink-cat-png", "shrink-dog", "gallery"]
    assert made[2]["files"] == ["gallery.html"]


def test_names_that_cannot_be_ids_become_some() -> None:
    nodes = planned(BOTH, world("_x", "_" + "y" * 62, "_" + "y" * 61))
    assert len({node.id for node in nodes}) == len(nodes) == 7


def test_a_plan_that_was_sent_back_is_followed_by_an_atomic_one() -> None:
    refused = "Not run: the arguments are not valid.\n- /nodes: no."
    assert again(refused)["atomic"] is True


@pytest.mark.parametrize(
    ("note", "ids"),
    [
        ("No report, please.", {"clean-a", "clean-b", "profile-a", "profile-b"}),
        ("Without profiles.", {"clean-a", "clean-b", "report"}),
        (
            "One report for each file",
            {"clean-a", "clean-b", "profile-a", "profile-b", "report-a", "report-b"},
        ),
        (
            "And draw a chart of each.",
            {"clean-a", "clean-b", "profile-a", "profile-b", "chart-a", "chart-b", "report"},
        ),
    ],
)
def test_a_plan_that_a_person_sends_back_is_made_anew_with_the_note(
    note: str, ids: set[str]
) -> None:
    said = f"Denied: a person denied this call, so it was not made. They say: {note}"
    assert {node["id"] for node in again(said)["nodes"]} == ids


@pytest.mark.parametrize("note", ["Nicer!", "Please."])
def test_a_note_that_changes_nothing_for_the_rules_leads_to_an_atomic_plan(note: str) -> None:
    said = f"Denied: a person denied this call, so it was not made. They say: {note}"
    assert again(said)["atomic"] is True


def again(said: str) -> Mapping[str, Any]:
    """What is planned after the first plan was answered so."""
    asked = world("a", "b")
    asked.others = lambda call: said
    messages: list[dict[str, Any]] = [
        {"role": "system", "content": asked.system},
        {"role": "user", "content": BOTH},
    ]
    messages += answered(respond(ask(messages, asked)), asked, len(messages))
    (call,) = respond(ask(messages, asked)).calls
    return arguments(call)


def test_skills_are_loaded_before_a_plan_is_made_of_them() -> None:
    asked = World(SKILLS, csv_files("a", "b"), (*MAKE_PLAN, tool("load_skill")))
    messages: list[dict[str, Any]] = [
        {"role": "system", "content": asked.system},
        {"role": "user", "content": BOTH},
    ]
    reply = respond(ask(messages, asked))
    assert [call.tool for call in reply.calls] == ["load_skill"] * 3
    messages += answered(reply, asked, len(messages))
    (call,) = respond(ask(messages, asked)).calls
    assert len(arguments(call)["nodes"]) == 5


LINES = """\
- csv-clean: scripts/clean.py INPUT [-o clean.csv] [options]
- csv-profile: scripts/profile.py INPUT [-o profile]  # writes profile.json, profile.md
- text-extract: scripts/extract.py INPUT [-o FILE] [--format text|markdown|json]
- report: scripts/report.py [--title T] [TITLE=]FILE [[TITLE=]FILE...] [-o report]"""


def test_a_line_on_each_script_suffices_for_a_plan() -> None:
    nodes = planned(BOTH, World(SKILLS, csv_files("a", "b"), MAKE_PLAN, more=LINES))
    assert [node.files for node in nodes] == [
        ("a-clean.csv",),
        ("b-clean.csv",),
        ("a-profile.md", "a-profile.json"),
        ("b-profile.md", "b-profile.json"),
        ("report.html", "report.md"),
    ]


def test_an_output_that_must_be_named_is_named_by_what_its_skill_makes() -> None:
    files = [f"{name} (9 bytes, application/pdf)" for name in ("a", "b")]
    asked = World(SKILLS, files, MAKE_PLAN, more=LINES)
    nodes = planned("Extract the text of both and write one report.", asked)
    assert nodes[0].files == ("a-output.txt",)
    assert nodes[0].steps is not None
    assert nodes[0].steps[0].args == ["${inputs.a}", "--format", "text", "-o", "a-output.txt"]


def test_a_skill_is_loaded_where_a_line_does_not_tell_which_files_it_makes() -> None:
    tools = (*MAKE_PLAN, tool("load_skill"))
    asked = World(SKILLS, csv_files("a", "b"), tools, more=commands_of(SKILLS))
    assert first_call(BOTH, asked).arguments == {"skill": "csv-profile"}


def test_where_nothing_tells_which_files_a_script_leaves_nothing_is_made_up() -> None:
    asked = World(SKILLS, csv_files("a", "b"), MAKE_PLAN, more=commands_of(SKILLS))
    made = arguments(first_call(BOTH, asked))
    assert made["atomic"] is True
    assert "which files profile-a leaves" in made["reason"]


WORDS = st.sampled_from(
    [
        *("clean", "profile", "chart", "report", "join", "extract", "on", "id", "each", "both"),
        *("one", "single", "for", "every", "file", "and", "then", ",", ".", ":", "(", ")", "not"),
        *("no", "without", '"', "'", "a", "data", "x=1", "--", "\n", "é"),
    ]
)
NAMES = st.lists(st.from_regex(r"\A[A-Za-z_][A-Za-z0-9_-]{0,62}\Z"), max_size=4, unique=True)


@given(st.lists(WORDS, max_size=16).map(" ".join), NAMES)
def test_no_prompt_is_too_odd_to_be_split_and_no_plan_is_unsound(
    prompt: str, names: Sequence[str]
) -> None:
    planned(prompt, world(*names))

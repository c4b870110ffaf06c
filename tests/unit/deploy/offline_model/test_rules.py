"""How the offline model drives an agent, from prompt to summary."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.offline_model.reply import Call
from deploy.offline_model.rules import respond
from tests.unit.deploy.offline_model.talk import (
    FINISH,
    TOOLS,
    World,
    answered,
    ask,
    built_in,
    made,
    skill,
    talk,
    tool,
)

PIPELINE = "Clean the data, profile it, draw a chart and write a report."
MADE = {
    "csv-clean": made("clean.csv", printed={"rows_in": 12, "rows_out": 10}),
    "csv-profile": made("profile.json", "profile.md"),
    "chart": made("chart.png", "chart.svg"),
    "report": made("report.html", "report.md"),
}


def runs(call: Call) -> str:
    assert not isinstance(call.arguments, str)
    return MADE[call.arguments["skill"]]


def test_skills_run_in_the_order_of_the_prompt_each_on_what_the_others_made() -> None:
    done = talk(PIPELINE, World(built_in(), runs=runs))
    assert [call.tool for call in done.calls[:4]] == ["load_skill"] * 4
    assert done.commands == [
        ("csv-clean", "data", "--drop-empty", "--dedupe", "--normalise-headers"),
        ("csv-profile", "clean.csv"),
        ("chart", "clean.csv"),
        ("report", "clean.csv", "profile.md", "chart.png"),
    ]
    assert len(done.turns) == 6


def test_the_summary_names_what_was_made_with_its_figures() -> None:
    summary = talk(PIPELINE, World(built_in(), runs=runs)).summary
    assert "csv-clean made clean.csv (rows_in 12, rows_out 10)" in summary
    assert "report made report.html, report.md" in summary


def test_every_answer_says_first_that_it_is_no_language_model() -> None:
    done = talk(PIPELINE, World(built_in(), runs=runs))
    label = "offline-rules (keyword rules, not a language model)"
    assert all(turn.text.startswith(label) for turn in done.turns)
    assert done.summary.startswith(label)


def test_a_prompt_that_matches_no_skill_is_answered_with_those_there_are() -> None:
    done = talk("Write a poem about penguins.", World(built_in()))
    assert done.calls == []
    assert "nothing was done" in done.summary
    assert "chart, csv-clean, csv-join" in done.summary


def test_skills_that_load_skill_does_not_find_are_skipped_and_named() -> None:
    class Forgetful(World):
        def answer(self, call: Call) -> str:
            return (
                "Error: There is no skill." if call.tool == "load_skill" else super().answer(call)
            )

    done = talk("Clean the data.", Forgetful(built_in()))
    assert done.commands == []
    assert "csv-clean was skipped: it could not be loaded" in done.summary


def test_the_catalogue_is_asked_for_where_the_prompt_of_the_system_has_none() -> None:
    world = World(tools=(*TOOLS, tool("list_skills")), others=lambda call: "- greet: Greets.")
    done = talk("greet us", world)
    assert done.calls[0].tool == "list_skills"
    assert "greet was skipped" in done.summary


def test_skills_that_a_prompt_had_no_room_for_are_asked_for_with_the_task() -> None:
    class Crowded(World):
        @property
        def system(self) -> str:
            more = "7 more: list_skills finds them.\n</available_skills>"
            return super().system.replace("</available_skills>", more)

    skills = {name: text for name, text in built_in().items() if name != "chart"}
    world = Crowded(
        skills, tools=(*TOOLS, tool("list_skills")), others=lambda call: "- greet: Greets people."
    )
    done = talk("Clean the data and greet us", world)
    assert [call.tool for call in done.calls].count("list_skills") == 1
    assert done.calls[0].arguments == {"query": "Clean the data and greet us"}
    assert "greet was skipped" in done.summary
    assert done.commands


def test_a_script_that_refuses_its_options_is_tried_without_them_once() -> None:
    failed = "The call failed with exit code 2.\n<output>\nstderr:\nno such kind\n</output>"
    done = talk("Draw a box chart.", World(built_in(), runs=lambda call: failed))
    assert done.commands == [("chart", "data", "--kind", "box"), ("chart", "data")]
    assert "chart failed and was left out: The call failed with exit code 2." in done.summary


def test_a_second_try_that_works_is_all_that_the_summary_tells() -> None:
    def second_works(call: Call) -> str:
        if "--kind" in call.text:
            return "The call failed with exit code 2."
        return made("chart.png")

    summary = talk("Draw a box chart.", World(built_in(), runs=second_works)).summary
    assert "chart made chart.png" in summary
    assert "failed" not in summary


@pytest.mark.parametrize(
    "text",
    ["Error: no more disk.", "Denied: a person denied this call.", "Interrupted: lost."],
)
def test_the_offline_model_does_not_repeat_calls_that_failed_for_other_reasons(text: str) -> None:
    done = talk("Draw a box chart.", World(built_in(), runs=lambda call: text))
    assert len(done.commands) == 1
    assert f"failed and was left out: {text}" in done.summary


def test_a_file_that_failed_is_reported_though_another_did_not() -> None:
    def a_fails(call: Call) -> str:
        return "The call failed with exit code 1." if "a.csv" in call.text else made("b-clean.csv")

    files = ("a.csv (1 bytes, text/csv)", "b.csv (1 bytes, text/csv)")
    world = World(built_in(), files, runs=a_fails)
    for is_parallel in (True, False):
        summary = talk("Clean them.", world, parallel_tool_calls=is_parallel).summary
        assert "csv-clean failed and was left out" in summary
        assert "csv-clean made b-clean.csv" in summary


@pytest.mark.parametrize(("text", "is_done"), [(made("clean.csv"), True), ("Error: no.", False)])
def test_a_result_that_says_whether_it_was_done_says_the_truth(text: str, is_done: bool) -> None:
    result = {"type": "object", "properties": {"done": {"type": "boolean"}}, "required": ["done"]}
    schema = {"properties": {**FINISH["properties"], "result": result}, "required": ["result"]}
    world = World(built_in(), tools=(*TOOLS[:2], tool("finish", schema)), runs=lambda call: text)
    assert talk("Clean the data.", world).finish["result"] == {"done": is_done}


def test_two_calls_of_one_tool_are_told_once_each() -> None:
    world = World(tools=(*TOOLS, tool("run_code")), others=lambda call: f"said {call.text}")
    summary = talk('First run_code {"n": 1} and then run_code {"n": 2}.', world).summary
    assert summary.count('{"n": 1}') == summary.count('{"n": 2}') == 1


def test_a_failed_step_does_not_keep_the_next_from_its_work() -> None:
    def cleaning_fails(call: Call) -> str:
        assert not isinstance(call.arguments, str)
        return "Error: broken." if call.arguments["skill"] == "csv-clean" else made("chart.png")

    done = talk("Clean the data and draw a chart.", World(built_in(), runs=cleaning_fails))
    assert done.commands[-1] == ("chart", "data")


def test_the_offline_model_finishes_on_the_last_turn_with_what_it_has() -> None:
    world = World(built_in(), runs=runs)
    messages: list[dict[str, Any]] = [
        {"role": "system", "content": world.system},
        {"role": "user", "content": PIPELINE},
    ]
    for _ in range(2):
        messages += answered(respond(ask(messages, world)), world, len(messages))
    messages.append({"role": "user", "content": "This is your last turn. Call finish now."})
    (call,) = respond(ask(messages, world)).calls
    assert call.tool == "finish"
    assert "csv-clean made clean.csv" in call.text
    assert "report was not reached" in call.text


def test_a_hint_is_not_taken_for_a_new_task() -> None:
    world = World(built_in(), runs=runs)
    messages: list[dict[str, Any]] = [
        {"role": "system", "content": world.system},
        {"role": "user", "content": "Clean the data."},
        {"role": "assistant", "content": "I did nothing."},
        {"role": "user", "content": "You called no tool. Draw no chart."},
    ]
    (call,) = respond(ask(messages, world)).calls
    assert call.arguments == {"skill": "csv-clean"}


def test_the_offline_model_without_finish_ends_with_text() -> None:
    world = World(built_in(), tools=TOOLS[:2], runs=runs)
    messages: list[dict[str, Any]] = [
        {"role": "system", "content": world.system},
        {"role": "user", "content": "Write a poem."},
    ]
    reply = respond(ask(messages, world))
    assert not reply.calls
    assert "nothing was done" in reply.text
    messages += [
        {"role": "assistant", "content": reply.text},
        {"role": "user", "content": "Then clean the data."},
    ]
    assert respond(ask(messages, world)).calls == (Call("load_skill", {"skill": "csv-clean"}),)


def test_a_tool_that_the_prompt_names_is_called_with_the_json_behind_its_name() -> None:
    tools = (*TOOLS, tool("mcp__time__get_current_time"))
    world = World(tools=tools, others=lambda call: "<output>\nnoon\n</output>")
    done = talk('Call mcp.time.get_current_time {"timezone": "UTC"} for me.', world)
    assert done.calls == [Call("mcp__time__get_current_time", {"timezone": "UTC"})]
    assert "noon" in done.summary


def test_a_tool_without_json_gets_what_the_prompt_says_of_its_arguments() -> None:
    schema = {
        "properties": {"name": {"type": "string"}, "lines": {"type": "integer"}},
        "required": ["name", "lines"],
    }
    world = World(tools=(*TOOLS, tool("write_file", schema)))
    done = talk("Use write_file with name=notes.txt, lines=3", world)
    assert done.calls == [Call("write_file", {"name": "notes.txt", "lines": 3})]


def test_a_missing_value_is_asked_for_only_where_the_prompt_allows_it() -> None:
    files = ("orders.csv (1 bytes, text/csv)", "customers.csv (1 bytes, text/csv)")
    tools = (*TOOLS, tool("ask_human"))
    world = World(built_in(), files, tools, others=lambda call: "customer_id")
    assert "csv-join was skipped: it needs --on KEYS" in talk("Join the files.", world).summary
    asked = talk("Join the files. Ask me for the key.", world)
    assert asked.calls[1].tool == "ask_human"
    assert asked.commands == [("csv-join", "orders.csv", "customers.csv", "--on", "customer_id")]


def test_one_call_at_a_time_where_parallel_ones_are_not_wanted() -> None:
    done = talk(PIPELINE, World(built_in(), runs=runs), parallel_tool_calls=False)
    assert max(len(turn.calls) for turn in done.turns) == 1
    assert len(done.commands) == 4


def test_one_call_at_a_time_still_reaches_every_file() -> None:
    files = ("a.csv (1 bytes, text/csv)", "b.csv (1 bytes, text/csv)")
    done = talk("Clean them.", World(built_in(), files), parallel_tool_calls=False)
    assert [command[1] for command in done.commands] == ["a.csv", "b.csv"]


def test_files_of_a_later_skill_are_not_given_to_an_earlier_one() -> None:
    files = ("a.csv (1 bytes, text/csv)", "b.csv (1 bytes, text/csv)")
    done = talk("Profile them, then join them on id.", World(built_in(), files))
    assert [command[0] for command in done.commands] == ["csv-profile", "csv-profile", "csv-join"]


@pytest.mark.parametrize(
    ("prompt", "skills"),
    [
        ("Do not clean. Just tell a joke.", []),
        ("Don't clean or profile it.", []),
        ("Profile the data without cleaning it.", ["csv-profile"]),
        ("Do not clean just profile the data.", ["csv-profile"]),
        ("There is no profile of the data yet. Write a profile.", ["csv-profile"]),
        ("Clean and profile the data. No profile, please.", ["csv-clean"]),
        ("Not only clean the data, profile it.", ["csv-clean", "csv-profile"]),
    ],
)
def test_a_skill_that_the_prompt_rules_out_is_not_used(prompt: str, skills: list[str]) -> None:
    run = talk(prompt, World(built_in(), runs=named_by_output))
    assert [command[0] for command in run.commands] == skills


MANY = tuple(f"f{number}" for number in range(1, 13))


def named_by_output(call: Call) -> str:
    """A run that makes the file that it is told to."""
    assert isinstance(call.arguments, dict)
    name = call.arguments["args"][-1]
    return made(name if name.endswith(".csv") else f"{name}.md")


def test_a_skill_goes_on_with_the_file_that_the_one_before_was_told_to_make() -> None:
    run = talk(
        "Clean both files, and profile each", World(built_in(), ("a", "b"), runs=named_by_output)
    )
    inputs = [(command[0], command[1]) for command in run.commands]
    assert inputs == [
        ("csv-clean", "a"),
        ("csv-clean", "b"),
        ("csv-profile", "a-clean.csv"),
        ("csv-profile", "b-clean.csv"),
    ]
    assert "skipped" not in run.summary


def test_of_too_many_files_all_skills_take_the_same_and_the_end_names_the_others() -> None:
    run = talk("Clean all files, and profile each", World(built_in(), MANY, runs=named_by_output))
    taken = [command[1] for command in run.commands if command[0] == "csv-profile"]
    assert taken == [f"f{number}-clean.csv" for number in range(1, 9)]
    assert "Nothing was done with f9, f10, f11, f12:" in run.summary


def test_a_tool_that_is_asked_for_is_called_even_if_no_rule_would() -> None:
    world = World(built_in())
    messages = [{"role": "user", "content": "Write a poem."}]
    choice = {"type": "function", "function": {"name": "load_skill"}}
    (call,) = respond(ask(messages, world, tool_choice=choice)).calls
    assert call.tool == "load_skill"


def test_no_tool_is_called_where_none_is_wanted() -> None:
    messages = [{"role": "user", "content": "Clean the data."}]
    assert not respond(ask(messages, World(built_in()), tool_choice="none")).calls


def test_a_skill_whose_text_shows_no_command_is_run_as_it_stands() -> None:
    world = World({"greet": skill("Greets people.", "Says hello.")})
    done = talk("greet", world)
    assert done.calls[1] == Call("run_skill_script", {"skill": "greet", "args": ["data"]})


FRAGMENTS = (
    *("clean", "join", "chart", " ", "\n", "on", "x=1", '"', "{", "}", "[", "finish", "run_code"),
    *("data", "'", "<output>", "</output>", "Error:", "The call failed with exit code 2.", "é"),
    *("File 'a.csv' created at /x", "<files>", "- a.csv (1 bytes, text/csv)", "scripts/x.py IN"),
    *("<available_skills>", "<skill><name>x</name><description>y</description></skill>"),
)
TEXTS = st.lists(st.sampled_from(FRAGMENTS), max_size=12).map("".join)
CALLS = st.builds(
    lambda name, arguments: {"id": name, "function": {"name": name, "arguments": arguments}},
    st.sampled_from(["load_skill", "run_skill_script", "finish", "ask_human"]),
    st.sampled_from(['{"skill": "chart"}', '{"skill": "csv-join", "args": ["a"]}', "{", "[1]", ""])
    | TEXTS,
)
MESSAGES = st.one_of(
    st.builds(lambda text: {"role": "user", "content": text}, TEXTS),
    st.builds(
        lambda text, calls: {"role": "assistant", "content": text, "tool_calls": calls},
        TEXTS,
        st.lists(CALLS, max_size=2),
    ),
    st.builds(
        lambda text, name: {"role": "tool", "content": text, "tool_call_id": name},
        TEXTS,
        st.sampled_from(["load_skill", "run_skill_script"]),
    ),
    st.builds(lambda text: {"role": "system", "content": text}, TEXTS),
)


@given(st.lists(MESSAGES, min_size=1, max_size=8))
def test_no_conversation_is_too_odd_to_be_answered(messages: list[dict[str, Any]]) -> None:
    world = World(built_in(), tools=(*TOOLS, tool("run_code"), tool("ask_human")))
    system = {"role": "system", "content": world.system}
    reply = respond(ask([system, *messages], world))
    assert reply == respond(ask([system, *messages], world))
    assert reply.calls


@pytest.mark.parametrize("member", ["tools", "tool_choice", "parallel_tool_calls", "stream"])
def test_null_counts_as_not_given(member: str) -> None:
    messages = [{"role": "user", "content": "hello"}]
    assert ask(messages, World(), **{member: None}).model == "offline-rules"

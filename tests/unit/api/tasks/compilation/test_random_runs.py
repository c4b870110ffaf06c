"""Whatever an agent did: the pipeline is sound, in order, and its steps read the same files."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID, uuid5

from hypothesis import given
from hypothesis import strategies as st

from activities.steps.arguments import Arguments
from activities.store.reading.results import ResultFile, StepResult
from activities.store.reading.runs import RecordedCall
from activities.tools.registry import Registry
from api.tasks.compilation.compiling import Compiled, Part, compile_runs
from api.tasks.compilation.files import Files
from api.tasks.compilation.natures import Tools
from tests.doubles.recorded_runs import DATA, Done, Recording, failed
from workflows.definitions.parameters import filled
from workflows.definitions.pipeline import Step
from workflows.definitions.pipeline_checking import problems_of
from workflows.definitions.references import references_in

TOOLS = Tools(Registry().tools)
NAMES = ("a.csv", "b.csv", "out/a.csv", "it's.txt", "data")
INPUTS = {"data": f"file:{DATA}", "more": f"file:{uuid5(DATA, 'more')}"}


@dataclass(frozen=True)
class Plan:
    """A call to be made: which files it names, counted from the latest, and how."""

    kind: str
    makes: tuple[str, ...]
    names: tuple[tuple[str, int], ...]
    is_failed: bool


PLANS = st.builds(
    Plan,
    st.sampled_from(["skill", "skill", "code", "write", "look"]),
    st.lists(st.sampled_from(NAMES), max_size=2, unique=True).map(tuple),
    st.lists(
        st.tuples(
            st.sampled_from(["name", "path", "url", "ref", "equals", "inline", "code"]),
            st.integers(0, 6),
        ),
        max_size=3,
    ).map(tuple),
    st.sampled_from([False, False, False, True]),
)
TURNS = st.lists(st.lists(PLANS, min_size=1, max_size=3), min_size=1, max_size=6)


def recorded(turns: Sequence[Sequence[Plan]]) -> Recording:
    recording = Recording(inputs=INPUTS)
    for plans in turns:
        recording.turn(*(done_of(recording, plan) for plan in plans))
    return recording


def done_of(recording: Recording, plan: Plan) -> Done:
    shelf = shelf_of(recording, None)
    source, args = "print(1)", []
    for how, index in plan.names:
        file = shelf[-1 - index % len(shelf)]
        match how:
            case "name":
                args.append(file.name)
            case "path":
                args.append(file.path)
            case "url" if not file.is_input:
                args.append(f"/api/v1/artifacts/{file.id}")
            case "ref":
                args.append(file.ref)
            case "equals":
                args.append(f"--in={file.path}")
            case "inline":
                args.append(f'{{"a": "${{x}} {file.path}"}}')
            case _:
                source += f"\nopen({file.path!r})"
    files = dict.fromkeys(plan.makes, "content")
    match plan.kind:
        case "skill":
            done = Done("run_skill_script", {"skill": "chart", "args": args}, files=files)
        case "code":
            arguments = {"language": "python", "source": source, "args": args}
            done = Done("run_code", arguments, files=files)
        case "write":
            done = Done("write_file", {"name": "a.csv", "text": "${x}"}, files={"a.csv": "x"})
        case _:
            done = Done("read_file", {"file": "data"})
    return failed(done) if plan.is_failed else done


def shelf_of(recording: Recording, call: RecordedCall | None) -> Sequence:  # type: ignore[type-arg]
    """The files at the time of a call, or of the next one."""
    if call is None:
        extra = Recording(inputs=INPUTS)
        extra.run = recording.run
        extra._turn = max((item.turn for item in recording.run.calls), default=0)
        extra.turn(Done("list_files"))
        return Files([extra.run]).before(extra.run, extra.run.calls[-1]).files
    return Files([recording.run]).before(recording.run, call).files


def meant(words: Iterable[str], files: Mapping[str, str]) -> list[str]:
    """A command line with the files that its paths lead to."""
    longest_first = sorted(files, key=len, reverse=True)
    names = "|".join(map(re.escape, longest_first)) or "(?!)"
    return [re.sub(f"/workspace/input/({names})", lambda m: f"<{files[m[1]]}>", w) for w in words]


def results_of(compiled: Compiled) -> dict[str, StepResult]:
    """As if every step had made the very files of its call."""
    return {
        key: StepResult(0, tuple(ResultFile(f.id, f.name, 1, f.sha256) for f in call.files))
        for key, (call, _) in compiled.steps.items()
    }


def as_step(compiled: Compiled, step: Step) -> tuple[list[str], Mapping[str, str]]:
    """The command line of a step as its script gets it, and the files in its folder."""
    arguments = Arguments(compiled.inputs, results_of(compiled))
    arguments.place(step.files)
    return list(arguments.command_line(list(step.args))), arguments.files


@given(TURNS)
def test_a_compiled_pipeline_does_what_the_agent_did(turns: list[list[Plan]]) -> None:
    recording = recorded(turns)
    compiled = compile_runs([Part(recording.run)], TOOLS)
    pipeline = compiled.pipeline
    if pipeline is None:
        assert compiled.problems
        return
    assert compiled.problems == ()
    assert problems_of(pipeline, compiled.inputs) == []
    calls = [compiled.steps[step.id][0] for step in pipeline.steps]
    assert [call.seq for call in calls] == sorted(call.seq for call in calls)
    assert all(TOOLS.is_step(call) for call in calls)
    for step, call in zip(filled(pipeline), calls, strict=True):
        if step.tool is not None:
            continue
        shelf = Files([recording.run]).before(recording.run, call)
        words = shelf.working.in_arguments(call.definition.arguments["args"]).words
        agent_files = {file.inside: file.ref for file in shelf.files}
        got, files = as_step(compiled, step)
        assert meant(got, files) == meant(words, agent_files)
        if step.code is not None:
            assert step.code.source == call.definition.arguments["source"]
            for inside in re.findall(r"/workspace/input/([\w.'-]+?)['\"]\)", step.code.source):
                assert files.get(inside) == agent_files[inside]


@given(TURNS)
def test_steps_refer_to_earlier_steps_only(turns: list[list[Plan]]) -> None:
    compiled = compile_runs([Part(recorded(turns).run)], TOOLS)
    seen: set[str] = set()
    for step in compiled.pipeline.steps if compiled.pipeline else ():
        used = {item.name for item in references_in(step.json_values) if item.source == "steps"}
        assert used <= seen
        seen.add(step.id)


@given(TURNS)
def test_the_latest_file_of_each_name_that_a_call_made_is_made_again(
    turns: list[list[Plan]],
) -> None:
    recording = recorded(turns)
    compiled = compile_runs([Part(recording.run)], TOOLS)
    if compiled.pipeline is None:
        return
    latest: dict[str, UUID] = {}
    for call in recording.run.calls:
        if TOOLS.is_step(call):
            latest.update((file.name, file.id) for file in call.files)
    made = {file.id for _, files in compiled.steps.values() for file in files}
    assert set(latest.values()) <= made

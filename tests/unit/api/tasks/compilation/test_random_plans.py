"""Whatever a plan did: the pipeline is sound, in order, and its steps read the same files."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from activities.steps.arguments import Arguments
from activities.store.reading.plan_runs import RecordedPlan
from activities.store.reading.results import ResultFile, StepResult
from activities.store.reading.runs import RecordedCall, RecordedRun
from activities.tools.registry import Registry
from api.tasks.compilation.compiling import Compiled
from api.tasks.compilation.files import Files
from api.tasks.compilation.natures import Tools
from api.tasks.compilation.plans import compile_plan
from tests.doubles.recorded_plans import A, B, PlanRecording
from tests.doubles.recorded_runs import Done
from workflows.definitions.parameters import filled
from workflows.definitions.pipeline_checking import problems_of
from workflows.definitions.references import references_in
from workflows.states import Status

TOOLS = Tools(Registry().tools)
FILES = ("a.csv", "b.csv", "a")


@dataclass(frozen=True)
class Part:
    """A node to be: ``takes`` are earlier files, counted from the last, by names of inputs."""

    kind: str
    makes: tuple[str, ...]
    takes: Mapping[str, int]
    ended: int
    is_done: bool


PARTS = st.lists(
    st.builds(
        Part,
        st.sampled_from(["skill", "skill", "code", "pipeline", "nested"]),
        st.lists(st.sampled_from(FILES), min_size=1, max_size=2, unique=True).map(tuple),
        st.dictionaries(st.sampled_from(["a", "b", "data"]), st.integers(0, 9), max_size=2),
        st.integers(0, 9),
        st.sampled_from([True, True, True, False]),
    ),
    min_size=1,
    max_size=6,
)


def recorded(parts: Sequence[Part], recording: PlanRecording | None = None) -> PlanRecording:
    recording = recording or PlanRecording()
    shelf = [f"${{inputs.{name}}}" for name in recording.run.inputs]
    for number, part in enumerate(parts):
        key = f"n{number}"
        inputs = {name: shelf[-1 - index % len(shelf)] for name, index in part.takes.items()}
        how = {
            "inputs": inputs,
            "files": part.makes,
            "ended": part.ended,
            "status": Status.COMPLETED if part.is_done else Status.FAILED,
        }
        add(recording, key, part, how)
        if part.is_done:
            shelf += [f"${{nodes.{key}.files['{name}']}}" for name in part.makes]
    return recording


def add(recording: PlanRecording, key: str, part: Part, how: dict[str, object]) -> None:
    # Of each call something else, so that files are told apart by their bytes.
    files = {name: f"{recording.run.name}/{key}/{name}" for name in part.makes}
    args = [*part.takes, *(f"--in={name}" for name in part.takes)]
    source = "\n".join(f"open('/workspace/input/{name}')" for name in part.takes) or "1"
    match part.kind:
        case "skill":
            done = Done("run_skill_script", {"skill": "chart", "args": args}, files=files)
            recording.agent(key, (done,), **how)
        case "code":
            arguments = {"language": "python", "source": source, "args": args}
            recording.agent(key, (Done("run_code", arguments, files=files),), **how)
        case "pipeline":
            given = [f"${{inputs.{name}}}" for name in part.takes]
            step = {"id": "make", "skill": "chart", "args": given}
            more = {"id": "see", "skill": "chart", "args": ["${steps.make.files}"]}
            recording.pipeline(key, [step, more], {"make": part.makes}, **how)
        case _:
            inner = Part("skill", part.makes, {}, 0, is_done=True)
            recording.nested(key, lambda it: _fill(it, inner), **how)


def _fill(recording: PlanRecording, part: Part) -> None:
    """A plan of two nodes, the first of which is given all that the plan is."""
    given = {name: f"${{inputs.{name}}}" for name in recording.run.inputs}
    add(recording, "one", part, {"inputs": given, "files": part.makes})
    again = {"table": f"${{nodes.one.files['{part.makes[0]}']}}"}
    last = Part("skill", ("last.csv",), {"table": 0}, 1, is_done=True)
    add(recording, "two", last, {"inputs": again, "files": last.makes})


def runs_of(plan: RecordedPlan) -> list[RecordedRun]:
    found = []
    for node in plan.nodes:
        if isinstance(node.work, RecordedPlan):
            found += runs_of(node.work)
        elif node.work is not None:
            found.append(node.work)
    return found


def digests_of(plan: RecordedPlan) -> dict[str, str]:
    """By reference: of the files of runs, and of the copies that plans have."""
    files = [file for run in runs_of(plan) for call in run.calls for file in call.files]
    files += [file for node in plan.nodes for file in node.files]
    found = {f"artifact:{file.id}": file.sha256 for file in files}
    for node in plan.nodes:
        if isinstance(node.work, RecordedPlan):
            found |= digests_of(node.work)
    return found


def results_of(compiled: Compiled) -> dict[str, StepResult]:
    """As if every step had made the very files of its call."""
    return {
        key: StepResult(0, tuple(ResultFile(f.id, f.name, 1, f.sha256) for f in files))
        for key, (_, files) in compiled.steps.items()
    }


def read(words: Sequence[str], files: Mapping[str, str]) -> list[str]:
    """A command line, with the bytes of the files that its paths lead to."""
    return [re.sub(r"/workspace/input/([\w.-]+)", lambda m: f"<{files[m[1]]}>", w) for w in words]


def by_call(plan: RecordedPlan) -> Mapping[str, tuple[RecordedRun, RecordedCall]]:
    """By the first file that each made."""
    return {
        str(call.files[0].id): (run, call)
        for run in runs_of(plan)
        for call in run.calls
        if call.files
    }


@given(PARTS)
def test_steps_of_a_compiled_plan_read_what_its_nodes_read(parts: list[Part]) -> None:
    plan = recorded(parts).plan
    compiled = compile_plan(plan, TOOLS)
    if compiled.pipeline is None:
        assert compiled.problems
        assert not runs_of(plan)
        return
    assert problems_of(compiled.pipeline, compiled.inputs) == []
    assert {*compiled.inputs.values()} <= {A, B}
    digests = {**digests_of(plan), A: A, B: B}
    calls = by_call(plan)
    results = results_of(compiled)
    for step in filled(compiled.pipeline):
        made = compiled.steps[step.id][1]
        if not made:
            continue
        run, call = calls[str(made[0].id)]
        arguments = Arguments(compiled.inputs, results)
        arguments.place(step.files)
        words = arguments.command_line(list(step.args))
        got = read(words, {name: digests[ref] for name, ref in arguments.files.items()})
        shelf = Files([run]).before(run, call)
        seen = {file.inside: digests[file.ref] for file in shelf.files}
        if args := call.definition.arguments.get("args"):
            assert got == read(shelf.working.in_arguments(args).words, seen)  # type: ignore[arg-type]
        elif call.definition.request_id == "make":
            assert got == [f"<{digests[ref]}>" for ref in run.inputs.values()]
        if step.code is not None:
            for name in re.findall(r"/workspace/input/(\w+)", step.code.source):
                assert digests[arguments.files[name]] == seen[name]


@given(PARTS)
def test_steps_of_a_compiled_plan_refer_to_earlier_steps_only(parts: list[Part]) -> None:
    compiled = compile_plan(recorded(parts).plan, TOOLS)
    seen: set[str] = set()
    for step in compiled.pipeline.steps if compiled.pipeline else ():
        used = {item.name for item in references_in(step.json_values) if item.source == "steps"}
        assert used <= seen
        assert step.id not in seen
        seen.add(step.id)


@given(PARTS)
def test_all_files_of_completed_nodes_are_made_again_and_no_others(parts: list[Part]) -> None:
    plan = recorded(parts).plan
    compiled = compile_plan(plan, TOOLS)
    made = {file.id for _, files in compiled.steps.values() for file in files}
    assert made == {f.id for run in runs_of(plan) for call in run.calls for f in call.files}

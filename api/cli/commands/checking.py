"""What is wrong with a task that nobody has submitted: with the places in the file, and without a
server as far as that goes."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from uuid import UUID

import typer
from pydantic import BaseModel, Field, JsonValue, ValidationError
from rich.text import Text

from api.cli import terminal
from api.cli.commands.document_file import document_in, read_text
from api.cli.commands.inputs import GivenInputs, references_in
from api.cli.commands.parameters import with_parameters
from api.cli.commands.printing import draw
from api.cli.display.amounts import counted
from api.cli.display.glyphs import glyphs_of, style_of
from api.cli.errors import PipelineFileRefused
from api.cli.source_lines import source_lines
from api.cli.terminal import safe_line
from api.client import ApiProblem, ApiUnreachable, NotTheApi
from api.client import AsyncClient as Client
from api.wire.errors import BodyMalformed, TooManyValues
from api.wire.json_words import EMPTY
from api.wire.located import Source, located
from api.wire.responses.checks import FoundProblem, OutlinedStep, TaskCheck, WantedInput
from api.wire.yaml_reader import ONLY_COMMENTS
from workflows.definitions.pipeline import Pipeline
from workflows.definitions.pipeline_checking import problems_of
from workflows.definitions.task_request import TaskRequest
from workflows.errors import BadInput
from workflows.pointers import Problem, problems_in
from workflows.states import Status, TaskType

_AT = "/pipeline"
_INPUTS = "/inputs"
_STEPS_SHOWN = 8


class Checked(BaseModel):
    """A task that was checked, ``of`` a file or a command. ``unchecked`` is why nobody was asked
    which skills, tools and files there are; None: the server has judged all of it."""

    of: str
    valid: bool
    problems: list[FoundProblem] = Field(default=[])
    unchecked: str | None = None
    name: str | None = None
    steps: list[OutlinedStep] = Field(default=[])
    inputs: list[WantedInput] = Field(default=[])
    text: str = Field(default="", exclude=True)
    existing_task_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class PipelineText:
    """A pipeline as it stands in a file, and what the command line says beside it. With ``given``
    None nobody has said which inputs there are: then those that it declares will do."""

    path: Path
    text: str
    given: GivenInputs | None = None
    parameters: Sequence[str] = ()

    @property
    def name(self) -> str:
        return "<stdin>" if str(self.path) == "-" else str(self.path)

    @classmethod
    def read(
        cls, path: Path, given: GivenInputs | None = None, parameters: Sequence[str] = ()
    ) -> "PipelineText":
        """Raises ``DocumentUnreadable`` and ``PipelineFileRefused``."""
        return cls(path, read_text(path, PipelineFileRefused), given, parameters)


async def check_files(client: Client, paths: Sequence[Path]) -> list[Checked]:
    """Check pipelines in files, in order. A server that does not answer is asked once."""
    checked: list[Checked] = []
    away: str | None = None
    for path in paths:
        try:
            source = PipelineText.read(path)
        except BadInput as error:  # One that cannot be read keeps nobody from reading the others.
            unread = FoundProblem(pointer="", message=str(error))
            checked.append(Checked(of=str(path), valid=False, problems=[unread]))
            continue
        checked.append(await check_pipeline(client, source, away=away))
        away = away or checked[-1].unchecked
    return checked


async def check_pipeline(
    client: Client, source: PipelineText, *, away: str | None = None, key: str | None = None
) -> Checked:
    """Check a pipeline here, and have the server check it where one answers. ``away``: none does.

    Raises:
        ParameterMalformed
    """
    try:
        document = document_in(source.path, source.text)
    except (BodyMalformed, TooManyValues) as error:
        unread = [_unread(error)]
        return Checked(of=source.name, valid=False, problems=unread, text=source.text)
    text = _text(source)
    found = [*_own_problems(document, source)]
    # That an input is missing is told where the pipeline declares it.
    placed = [replace(p, pointer=f"{_AT}{p.pointer}") if p.pointer == _INPUTS else p for p in found]
    here = located(placed, {"pipeline": document}, [Source(_AT, text)])
    problems = [
        FoundProblem.model_validate({**asdict(each), "pointer": problem.pointer})
        for problem, each in zip(found, here, strict=True)
    ]
    sent = references_in(source.given)
    body = {"type": TaskType.PIPELINE, "pipeline": text, "inputs": sent}
    answer, unchecked = None, away
    if away is None:
        answer, unchecked = await _asked(client, json.dumps(body).encode(), key)
    if answer is not None:
        of_inputs = [each for each in problems if each.pointer.startswith(_INPUTS)]
        problems = [each for each in answer.problems if _is_told(each, sent)] + of_inputs
    checked = _checked(source.name, problems, answer, unchecked)
    return checked.model_copy(update={"text": source.text})


async def check_request(
    client: Client,
    command: str,
    request: TaskRequest,
    given: GivenInputs,
    key: str | None = None,
) -> Checked:
    """Check what is submitted without a file."""
    whole = request.model_copy(update={"inputs": references_in(given)})
    body = whole.model_dump_json(by_alias=True, exclude_defaults=True).encode()
    answer, unchecked = await _asked(client, body, key)
    return _checked(command, answer.problems if answer else [], answer, unchecked)


def print_checked(checked: Checked) -> None:
    """Each problem with its line, as compilers print them; or what there is to run."""
    status = Status.COMPLETED if checked.valid else Status.FAILED
    sign = (f"{glyphs_of(terminal.stdout()).of(status)} ", style_of(status))
    if checked.valid:
        draw(Text.assemble(sign, safe_line(f"{checked.of}  {_outline(checked)}".rstrip())))
    else:
        count = counted(len(checked.problems), "problem")
        draw(Text.assemble(sign, safe_line(f"{checked.of}  {count}")))
    for problem in checked.problems:
        typer.echo(safe_line(_line(checked.of, problem)))
        if problem.line is not None:
            for line in source_lines(checked.text, problem.line, problem.column or 1):
                terminal.stdout().print(line, soft_wrap=True)


def tell_unchecked(*checked: Checked) -> None:
    """Say on stderr what nobody has checked, and why; once."""
    for reason in dict.fromkeys(each.unchecked for each in checked if each.unchecked is not None):
        note = f"Not checked: skills, tools and files by their references. {reason}"
        terminal.stderr().print(safe_line(note), style="yellow", soft_wrap=True)


def tell_used_key(checked: Checked) -> None:
    """Say on stderr that the idempotency key is not new. Files that are not uploaded cannot be
    compared yet."""
    if checked.existing_task_id is not None:
        note = (
            f"The idempotency key was used for task {checked.existing_task_id}: the same request "
            "gives that task, another one is refused."
        )
        terminal.stderr().print(note, style="yellow", soft_wrap=True)


def _own_problems(document: JsonValue, source: PipelineText) -> Iterator[Problem]:
    """What can be known without a server."""
    try:
        pipeline = Pipeline.model_validate(document)
    except ValidationError as error:
        for each in problems_in(error.errors(include_url=False), document, model=Pipeline):
            yield Problem(f"{_AT}{each.pointer}", each.message)
        return
    if source.parameters:
        with_parameters(pipeline, source.parameters)
    given = dict.fromkeys(pipeline.inputs) if source.given is None else source.given
    yield from problems_of(pipeline, given, _AT)


async def _asked(
    client: Client, body: bytes, key: str | None
) -> tuple[TaskCheck | None, str | None]:
    """What the server says; or why it says nothing."""
    try:
        return await client.check(body, "application/json", idempotency_key=key), None
    except (ApiProblem, ApiUnreachable, NotTheApi) as error:
        return None, str(error)


def _is_told(problem: FoundProblem, sent: Mapping[str, str]) -> bool:
    """Whether it concerns what was sent: that others are missing is known here."""
    place, _, name = problem.pointer.removeprefix("/").partition("/")
    return place != "inputs" or name in sent


def _checked(
    of: str, problems: list[FoundProblem], answer: TaskCheck | None, unchecked: str | None
) -> Checked:
    return Checked(
        of=of,
        valid=not problems,
        problems=problems,
        unchecked=unchecked,
        name=answer and answer.name,
        steps=answer.steps if answer else [],
        inputs=answer.inputs if answer else [],
        existing_task_id=answer and answer.existing_task_id,
    )


def _text(source: PipelineText) -> str:
    # JSON is YAML but for tabs between its parts; within its texts there are none.
    return source.text.replace("\t", " ") if source.path.suffix == ".json" else source.text


def _unread(error: BodyMalformed | TooManyValues) -> FoundProblem:
    if isinstance(error, TooManyValues):
        return FoundProblem(pointer="", message=str(error))
    fields = error.fields
    reason = str(fields["reason"])
    is_nothing = reason in (EMPTY, ONLY_COMMENTS)
    return FoundProblem(
        pointer="",
        message=reason if is_nothing else f"this is not valid {fields['form']}: {reason}",
        line=int(str(fields["line"])),
        column=int(str(fields["column"])),
    )


def _line(of: str, problem: FoundProblem) -> str:
    place = f":{problem.line}:{problem.column}" if problem.line is not None else ""
    step = f"step {problem.step}: " if problem.step is not None else ""
    at = f" ({problem.pointer})" if problem.pointer and problem.line is None else ""
    return f"{of}{place}: {step}{problem.message}{at}"


def _outline(checked: Checked) -> str:
    parts = []
    if checked.steps:
        shown = ", ".join(f"{step.id} ({step.runs})" for step in checked.steps[:_STEPS_SHOWN])
        more = len(checked.steps) - _STEPS_SHOWN
        parts.append(f"would run {shown}" + (f", and {more} more" if more > 0 else ""))
    if wanted := [item.name for item in checked.inputs]:
        parts.append(f"{'input' if len(wanted) == 1 else 'inputs'} {', '.join(wanted)}")
    return "; ".join(parts)

"""Handing in tasks, with their inputs as a program has them."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import JsonValue

from api.client.asking import Key, asked, keyed, mistaken, plain
from api.client.errors import PipelineUnreadable, RequestMistaken
from api.client.files import FileCalls
from api.client.task_requests import TaskRequestCalls
from api.client.transfer import read_text
from api.wire.responses.files import Artifact, File
from api.wire.responses.tasks import Accepted
from workflows.definitions.agent import Agent
from workflows.definitions.parameters import unknown_parameter
from workflows.definitions.pipeline import Pipeline
from workflows.definitions.plan import Plan
from workflows.definitions.task_request import TaskRequest
from workflows.definitions.webhook import Callback
from workflows.pointers import Problem, pointer
from workflows.states import TaskType

REFERENCES = ("file:", "artifact:", "s3://", "https://")

Input = str | Path | bytes | File | Artifact
Inputs = Mapping[str, Input]
Callbacks = Sequence[Callback | Mapping[str, Any]]


class SubmissionCalls(TaskRequestCalls, FileCalls):
    """Each has a key of its own unless you give one, so that what is sent twice makes one task.

    ``inputs`` are, by name, a ``Path``, the ``bytes`` themselves, what ``upload`` gave, an
    artifact, a reference (``file:ID``, ``artifact:ID``, ``s3://...``, ``https://...``), or the path
    of a file as text. The rest is as for ``POST /tasks``.
    """

    async def submit_pipeline(
        self,
        pipeline: Pipeline | Mapping[str, Any] | Path | str,
        *,
        inputs: Inputs | None = None,
        parameters: Mapping[str, str | int | float | bool] | None = None,
        priority: int = 5,
        cache: bool = True,
        callbacks: Callbacks = (),
        idempotency_key: Key = None,
    ) -> Accepted:
        """Hand in a pipeline: the path of its file, its text, or what that says as a mapping.
        ``parameters`` are other values of those that it has.

        Raises:
            PipelineUnreadable, RequestMistaken: it was not sent.
            FileUnreadable, ApiProblem, ApiUnreachable, NotTheApi
        """
        definition = await _definition(pipeline)
        if parameters:
            if not isinstance(parameters, Mapping):
                raise mistaken("/parameters", "a mapping of names to values", parameters)
            given = definition.get("parameters")
            known = given if isinstance(given, dict) else {}
            _check_names(parameters, known)
            definition = {**definition, "parameters": {**known, **parameters}}
        fields = {"type": TaskType.PIPELINE, "pipeline": definition}
        more = {"priority": priority, "cache": cache, "callbacks": callbacks}
        return await self._submit({**fields, **more}, inputs, idempotency_key)

    async def submit_agent(
        self,
        prompt: str,
        agent: Agent | Mapping[str, Any] | None = None,
        *,
        inputs: Inputs | None = None,
        priority: int = 5,
        cache: bool = True,
        callbacks: Callbacks = (),
        idempotency_key: Key = None,
    ) -> Accepted:
        """Hand in a task for an agent. ``agent`` says who it is and what it may, as in
        ``{"model": "gpt-5-mini", "limits": {"turns": 20}}``. Raises as ``submit_pipeline``."""
        fields = {"type": TaskType.AGENT, "prompt": prompt, "agent": agent}
        more = {"priority": priority, "cache": cache, "callbacks": callbacks}
        return await self._submit({**fields, **more}, inputs, idempotency_key)

    async def submit_plan(
        self,
        prompt: str,
        plan: Plan | Mapping[str, Any] | None = None,
        *,
        inputs: Inputs | None = None,
        priority: int = 5,
        cache: bool = True,
        callbacks: Callbacks = (),
        idempotency_key: Key = None,
    ) -> Accepted:
        """Hand in a task that is split into tasks. Raises as ``submit_pipeline``."""
        fields = {"type": TaskType.PLAN, "prompt": prompt, "plan": plan}
        more = {"priority": priority, "cache": cache, "callbacks": callbacks}
        return await self._submit({**fields, **more}, inputs, idempotency_key)

    async def submit_auto(
        self,
        prompt: str,
        *,
        agent: Agent | Mapping[str, Any] | None = None,
        plan: Plan | Mapping[str, Any] | None = None,
        inputs: Inputs | None = None,
        priority: int = 5,
        cache: bool = True,
        callbacks: Callbacks = (),
        idempotency_key: Key = None,
    ) -> Accepted:
        """Hand in words; a model chooses what they become, and ``agent`` and ``plan`` hold for
        whatever is chosen. Raises as ``submit_pipeline``."""
        fields = {"type": TaskType.AUTO, "prompt": prompt, "agent": agent, "plan": plan}
        more = {"priority": priority, "cache": cache, "callbacks": callbacks}
        return await self._submit({**fields, **more}, inputs, idempotency_key)

    async def _submit(
        self,
        fields: Mapping[str, Any],
        inputs: Inputs | None,
        idempotency_key: Key,
    ) -> Accepted:
        # What is wrong is told before anything is uploaded.
        said = {name: value for name, value in fields.items() if value is not None}
        asked(TaskRequest, said)
        keyed(idempotency_key)
        references = await self._references(_by_name(inputs))
        request = asked(TaskRequest, {**said, "inputs": references})
        return await self.submit(request, idempotency_key=idempotency_key)

    async def _references(self, inputs: Inputs) -> dict[str, str]:
        """Files are uploaded, each once."""
        uploaded: dict[Path | bytes, str] = {}
        found: dict[str, str] = {}
        for name, value in inputs.items():
            if isinstance(value, File | Artifact) or _is_reference(value):
                found[name] = plain(value)
                continue
            given = value if isinstance(value, bytes) else _whole(value)
            if given not in uploaded:
                uploaded[given] = f"file:{(await self.upload(given, name=_name(name, given))).id}"
            found[name] = uploaded[given]
        return found


def _by_name(inputs: object) -> Inputs:
    """Raises ``RequestMistaken`` for what is no input, before any of them is uploaded."""
    if inputs is None:
        return {}
    if not isinstance(inputs, Mapping):
        raise mistaken("/inputs", "a mapping of names to files", inputs)
    for name, value in inputs.items():
        if not isinstance(value, Input):
            wanted = "a Path, bytes, a reference, what `upload` gave, or a path as text"
            raise mistaken(pointer(["inputs", str(name)]), wanted, value)
    return inputs


def _check_names(parameters: Mapping[str, object], known: Collection[str]) -> None:
    """Raises ``RequestMistaken``."""
    problems = [
        Problem(pointer(["parameters", str(name)]), unknown_parameter(str(name), known))
        for name in parameters
        if name not in known
    ]
    if problems:
        raise RequestMistaken(problems)


def _is_reference(given: Path | str | bytes) -> bool:
    return isinstance(given, str) and given.startswith(REFERENCES)


def _whole(path: Path | str) -> Path:
    return Path(path).expanduser().absolute()


def _name(name: str, given: Path | bytes) -> str:
    return name if isinstance(given, bytes) else given.name


async def _definition(given: object) -> Mapping[str, JsonValue]:
    if isinstance(given, Pipeline | Mapping):
        return plain(given) or {}
    if not isinstance(given, Path | str):
        wanted = "the path of a file, its text, a mapping or a Pipeline"
        raise mistaken("/pipeline", wanted, given)
    # To load a reader of YAML takes longer than most commands do without one.
    from api.wire.errors import BodyMalformed
    from api.wire.yaml_reader import parse_yaml

    text = str(given) if _is_text(given) else await read_text(_whole(given))
    try:
        document = parse_yaml(text)
    except BodyMalformed as error:
        reason = "{reason} (line {line}, column {column})".format_map(error.fields)
        raise PipelineUnreadable(reason=reason) from error
    if not isinstance(document, dict):
        raise PipelineUnreadable(reason="it is no mapping with `name` and `steps`")
    return document


def _is_text(given: Path | str) -> bool:
    """A pipeline in YAML has a line for its name and one for its steps at least."""
    return isinstance(given, str) and ("\n" in given or given.strip().startswith("{"))

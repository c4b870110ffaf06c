"""Every kind of bad request: what is said, and where the fault is."""

import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from tests.integration.api_stage import Stage, pipeline
from workflows.states import TaskType


def _with(step: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"pipeline": {"name": "test", "steps": [step]}, **more}


def _skill(**fields: Any) -> dict[str, Any]:
    return _with({"id": "a", **fields})


_CODE = {"language": "python", "source": "x"}
_GOOD = pipeline("x")
# As pydantic lists them.
*_FIRST, _LAST = (f"'{each}'" for each in TaskType)
_TYPES = f"{', '.join(_FIRST)} or {_LAST}"

_BODIES: dict[str, tuple[object, str, str]] = {
    "no object": ([], "", "must be an object"),
    "nothing": (None, "", "must be an object"),
    "unknown field": ({"pipeline": _GOOD, "colour": 1}, "/colour", "unknown field"),
    "nothing to choose for": ({}, "/prompt", "needs a prompt that says what to do, or a pipeline"),
    "no type, and no model": ({"prompt": "do it"}, "/type", "set OPENAI_API_KEY"),
    "no type, and no such skill": (
        {"prompt": "do it", "agent": {"skills": ["greed"]}},
        "/agent/skills/0",
        "Did you mean greet?",
    ),
    "agent, and no model": ({"type": "agent", "prompt": "x"}, "/type", "set OPENAI_API_KEY"),
    "field of a type that is not there": (
        {"pipeline": _GOOD, "dance": {}},
        "/dance",
        "unknown field",
    ),
    "field of another type": ({"pipeline": _GOOD, "plan": {}}, "/plan", "pipeline has no plan"),
    "agent beside a pipeline": ({"pipeline": _GOOD, "agent": {}}, "/agent", "has no agent"),
    "plan, and no model": ({"type": "plan", "prompt": "x"}, "/type", "set OPENAI_API_KEY"),
    "plan without a prompt": ({"type": "plan"}, "/prompt", "needs a prompt"),
    "agent with a pipeline": ({"type": "agent", "pipeline": _GOOD}, "/pipeline", "no pipeline"),
    "unknown type": ({"type": "dance"}, "/type", _TYPES),
    "pipeline without one": ({"type": "pipeline"}, "/pipeline", "needs a pipeline"),
    "priority too high": ({"pipeline": _GOOD, "priority": 11}, "/priority", "at most 10"),
    "priority zero": ({"pipeline": _GOOD, "priority": 0}, "/priority", "at least 1"),
    "priority with a part": ({"pipeline": _GOOD, "priority": 5.5}, "/priority", "not 5.5"),
    "priority text": ({"pipeline": _GOOD, "priority": "5"}, "/priority", "whole number"),
    "prompt too long": ({"pipeline": _GOOD, "prompt": "x" * 100_001}, "/prompt", "at most"),
    "NUL in the prompt": ({"pipeline": _GOOD, "prompt": "a\0b"}, "/prompt", "NUL"),
    "NUL in an argument": (
        _skill(skill="greet", args=["a\0"]),
        "/pipeline/steps/0/args/0",
        "NUL",
    ),
    "NUL in a name": (
        _with({"id": "a", "tool": "x", "args": {"\0": 1}}),
        "/pipeline/steps/0/args",
        "character",
    ),
    "endless number": (
        '{"pipeline": {"name": "x", "steps": [{"id": "a", "tool": "t", "args": {"x": 1e999}}]}}',
        "/pipeline/steps/0/args/x",
        "too large",
    ),
    "huge integer": (
        _with({"id": "a", "tool": "write_file", "args": {"x": 2**70}}),
        "/pipeline/steps/0/args/x",
        "64 bits",
    ),
    "no steps": ({"pipeline": {"name": "x", "steps": []}}, "/pipeline/steps", "at least 1"),
    "no name": ({"pipeline": {"steps": _GOOD["steps"]}}, "/pipeline/name", "required"),
    "too many steps": (
        {"pipeline": {"name": "x", "steps": [{"id": f"s{n}", "code": _CODE} for n in range(101)]}},
        "/pipeline/steps",
        "at most 100",
    ),
    "step without an id": (_with({"code": _CODE}), "/pipeline/steps/0/id", "required"),
    "step id with a slash": (
        _with({"id": "a/b", "code": _CODE}),
        "/pipeline/steps/0/id",
        "it must begin with a letter",
    ),
    "id twice": (
        {"pipeline": {"name": "x", "steps": [{"id": "a", "code": _CODE}] * 2}},
        "/pipeline/steps/1/id",
        "also the id of step number 1",
    ),
    "nothing to run": (_with({"id": "a"}), "/pipeline/steps/0", "exactly one of"),
    "two things to run": (
        _with({"id": "a", "skill": "greet", "code": _CODE}),
        "/pipeline/steps/0",
        "exactly one of",
    ),
    "unknown step field": (
        _with({"id": "a", "code": _CODE, "shell": True}),
        "/pipeline/steps/0/shell",
        "unknown field",
    ),
    "unknown language": (
        _with({"id": "a", "code": {"language": "cobol", "source": "x"}}),
        "/pipeline/steps/0/code/language",
        "'python', 'shell' or 'javascript'",
    ),
    "argument that is a list": (
        _skill(skill="greet", args=["a", ["b"]]),
        "/pipeline/steps/0/args/1",
        "must be text",
    ),
    "arguments that are text": (
        _skill(skill="greet", args="a"),
        "/pipeline/steps/0/args",
        "a list",
    ),
    "bad timeout": (
        _with({"id": "a", "code": _CODE, "timeout": "soon"}),
        "/pipeline/steps/0/timeout",
        "'soon' is not a duration",
    ),
    "too many retries": (
        _with({"id": "a", "code": _CODE, "retries": 21}),
        "/pipeline/steps/0/retries",
        "at most 20",
    ),
    "malformed reference": (
        _skill(skill="greet", args=["${inputs.a"]),
        "/pipeline/steps/0/args/0",
        "'}' is missing",
    ),
    "reference to a later step": (
        _skill(skill="greet", args=["${steps.b.stdout}"]),
        "/pipeline/steps/0/args/0",
        "there is no step 'b'",
    ),
    "unknown skill": (_skill(skill="gret"), "/pipeline/steps/0/skill", "Did you mean greet?"),
    "broken skill": (_skill(skill="broken"), "/pipeline/steps/0/skill", "no description"),
    "unknown script": (
        _skill(skill="greet", script="bye.py"),
        "/pipeline/steps/0/script",
        "It has: scripts/hello.py",
    ),
    "script not named": (
        _skill(skill="two"),
        "/pipeline/steps/0/skill",
        "scripts/a.py, scripts/b.py",
    ),
    "no script": (_skill(skill="mute"), "/pipeline/steps/0/skill", "has no scripts"),
    "unknown tool": (
        _with({"id": "a", "tool": "write_fil", "args": {}}),
        "/pipeline/steps/0/tool",
        "Did you mean write_file?",
    ),
    "tool without its arguments": (
        _with({"id": "a", "tool": "read_file", "args": {}}),
        "/pipeline/steps/0/args/file",
        "required",
    ),
    "tool with a strange argument": (
        _with({"id": "a", "tool": "read_file", "args": {"file": "x", "speed": 1}}),
        "/pipeline/steps/0/args/speed",
        "unknown field",
    ),
    "input not given": (
        {"pipeline": {**_GOOD, "inputs": ["data"]}},
        "/inputs",
        "'data' is declared by the pipeline but not given",
    ),
    "input not declared": (
        {"pipeline": _GOOD, "inputs": {"data": "s3://shared/x"}},
        "/inputs/data",
        "declares no input 'data'",
    ),
    "input name": (
        {"pipeline": _GOOD, "inputs": {"a b": "x"}},
        "/inputs/a b",
        "it must begin with",
    ),
    "input that is a number": (
        {"pipeline": _GOOD, "inputs": {"a": 1}},
        "/inputs/a",
        "must be text",
    ),
    "pipeline text that is no YAML": (
        {"pipeline": "name: x\nsteps: ["},
        "/pipeline",
        "(line 3, column 1)",
    ),
    "pipeline text with a wrong step": (
        {"pipeline": "name: x\nsteps:\n- id: a\n  code: {language: python}"},
        "/pipeline/steps/0/code/source",
        "required",
    ),
}


@pytest.mark.parametrize("case", _BODIES)
async def test_a_bad_task_is_refused_with_a_pointer(stage: Stage, case: str) -> None:
    body, pointer, message = _BODIES[case]
    content = body if isinstance(body, str) else json.dumps(body)
    answer = await stage.http.post(
        "/tasks", content=content, headers={"Content-Type": "application/json"}
    )
    _check(answer, 422, "invalid-request")
    found = {error["pointer"]: error["message"] for error in answer.json()["errors"]}
    assert message in found.get(pointer, ""), found


_INPUTS = {
    "nonsense": ("report.csv", "begins with none of"),
    "file that is no id": ("file:../../etc/passwd", "not an id"),
    "unknown file": (f"file:{uuid4()}", "there is no file"),
    "unknown artifact": (f"artifact:{uuid4()}", "there is no artifact"),
    "foreign bucket": ("s3://secrets/key", "AGENTOS_ALLOWED_BUCKETS"),
    "foreign host": ("https://evil.example/x", "AGENTOS_ALLOWED_HOSTS"),
    "loopback": ("https://127.0.0.1/x", "AGENTOS_ALLOWED_HOSTS"),
    "metadata service": ("https://169.254.169.254/latest", "AGENTOS_ALLOWED_HOSTS"),
    "plain http": ("http://files.example/x", "https://"),
    "a local file": ("file:///etc/passwd", "not an id"),
}


@pytest.mark.parametrize("case", _INPUTS)
async def test_a_bad_input_is_refused(stage: Stage, case: str) -> None:
    text, message = _INPUTS[case]
    body = {"pipeline": {**pipeline("INPUT_DATA"), "inputs": ["data"]}, "inputs": {"data": text}}
    answer = await stage.http.post("/tasks", json=body)
    _check(answer, 422, "invalid-request")
    [error] = answer.json()["errors"]
    assert error["pointer"] == "/inputs/data"
    assert message in error["message"]


async def test_the_store_of_agentos_itself_is_no_input(stage: Stage) -> None:
    own = stage.services.blobs.bucket
    body = {
        "pipeline": {**pipeline("INPUT_DATA"), "inputs": ["data"]},
        "inputs": {"data": f"s3://{own}/key"},
    }
    _check(await stage.http.post("/tasks", json=body), 422, "invalid-request")


@pytest.mark.parametrize("text", ["s3://shared/report.csv", "https://files.example/report.csv"])
async def test_allowed_inputs_are_accepted(stage: Stage, text: str) -> None:
    body = {"pipeline": {**pipeline("INPUT_DATA"), "inputs": ["data"]}, "inputs": {"data": text}}
    assert (await stage.http.post("/tasks", json=body)).status_code == 202


async def test_all_problems_of_a_pipelines_request_are_reported_at_once(stage: Stage) -> None:
    body = {
        "pipeline": {
            "name": "x",
            "inputs": ["data"],
            "steps": [{"id": "a", "skill": "gret"}, {"id": "a", "code": _CODE}],
        },
    }
    answer = await stage.http.post("/tasks", json=body)
    pointers = [error["pointer"] for error in answer.json()["errors"]]
    assert sorted(pointers) == [
        "/inputs",
        "/pipeline/inputs/0",
        "/pipeline/steps/0/skill",
        "/pipeline/steps/1/id",
    ]


# Bodies that cannot be read.


@pytest.mark.parametrize(
    ("content", "kind", "place"),
    [
        (b'{"pipeline": {\n"name": }', "application/json", "line 2, column 9"),
        (b"", "application/json", "line 1"),
        (b'{"a": NaN}', "application/json", "line 1"),
        (b'{"a": "\xff"}', "application/json", "line 1"),
        (b'{"a": "\\ud800"}', "application/json", "line 1"),
        (b"[" * 100_000, "application/json", "nested deeper"),
        (b"a: [1\nb: 2", "application/yaml", "line 2"),
        (b"a: &x [1]\nb: *x", "application/yaml", "are not taken"),
        (b"a: 1\na: 2", "application/yaml", "the key 'a' appears twice"),
        (b"a: \xff", "application/yaml", "not UTF-8 (line 1, column 4)"),
        (b"[" * 100_000, "application/yaml", "nested deeper"),
        (b"!!python/object/apply:os.system ['true']", "application/yaml", "tag"),
    ],
)
async def test_an_unreadable_body_is_refused_with_its_place(
    stage: Stage, content: bytes, kind: str, place: str
) -> None:
    answer = await stage.http.post("/tasks", content=content, headers={"Content-Type": kind})
    _check(answer, 400, "body-malformed")
    assert place in answer.json()["detail"]


@pytest.mark.parametrize("kind", [None, "text/plain", "application/xml", "multipart/form-data"])
async def test_a_body_of_another_type_is_refused(stage: Stage, kind: str | None) -> None:
    headers = {"Content-Type": kind} if kind else {}
    content = json.dumps({"pipeline": _GOOD}).encode()
    answer = await stage.http.post("/tasks", content=content, headers=headers)
    _check(answer, 415, "media-type-refused")


async def test_a_body_that_is_said_to_be_compressed_is_refused_and_not_read(stage: Stage) -> None:
    content = json.dumps({"type": "agent", "prompt": "x"}).encode()
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    answer = await stage.http.post("/tasks", content=content, headers=headers)
    _check(answer, 415, "media-type-refused")
    assert "without Content-Encoding" in answer.json()["detail"]


async def test_a_retry_in_another_type_is_refused(stage: Stage) -> None:
    path = f"/tasks/{uuid4()}/retry"
    answer = await stage.http.post(path, content=b"x", headers={"Content-Type": "text/plain"})
    _check(answer, 415, "media-type-refused")


async def test_a_retry_that_is_no_json_is_refused_with_its_place(stage: Stage) -> None:
    path = f"/tasks/{uuid4()}/retry"
    headers = {"Content-Type": "application/json"}
    answer = await stage.http.post(path, content=b'{\n"from": }', headers=headers)
    _check(answer, 400, "body-malformed")
    assert "line 2, column 9" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"from": 5}, "/from"),
        ({"from": "a\0"}, "/from"),
        ({"form": "a"}, "/form"),
        ({"inputs": {"a b": "x"}}, "/inputs/a b"),
        ({"inputs": {"a": "x\0"}}, "/inputs/a"),
        ([], ""),
    ],
)
async def test_a_bad_retry_is_refused(stage: Stage, body: object, pointer: str) -> None:
    answer = await stage.http.post(f"/tasks/{uuid4()}/retry", json=body)
    _check(answer, 422, "invalid-request")
    assert pointer in [error["pointer"] for error in answer.json()["errors"]]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/tasks"),
        ("POST", f"/tasks/{UUID(int=0)}/approvals/x"),
        ("POST", "/tools/register"),
        ("PATCH", "/tools/write_file"),
    ],
)
async def test_a_body_that_is_missing_is_refused(stage: Stage, method: str, path: str) -> None:
    json_type = {"Content-Type": "application/json"}
    _check(await stage.http.request(method, path, headers=json_type), 400, "body-malformed")
    _check(await stage.http.request(method, path), 415, "media-type-refused")


async def test_a_retry_needs_no_body(stage: Stage) -> None:
    path = f"/tasks/{uuid4()}/retry"
    _check(await stage.http.post(path), 404, "not-found")
    answer = await stage.http.post(path, headers={"Content-Type": "application/json"})
    _check(answer, 404, "not-found")


async def test_an_upload_without_a_file_is_refused(stage: Stage) -> None:
    _check(await stage.http.post("/files"), 415, "media-type-refused")
    _check(await stage.http.post("/files", files={"data": b"x"}), 422, "invalid-request")


@pytest.mark.parametrize("kind", ["application/json", "application/yaml"])
async def test_a_body_of_too_many_values_is_refused(stage: Stage, kind: str) -> None:
    content = b"[" + b"1," * 10_000 + b"1]"
    for path in ("/tasks", "/tools/register", f"/tasks/{uuid4()}/retry"):
        answer = await stage.http.post(path, content=content, headers={"Content-Type": kind})
        _check(answer, 422, "too-many-values")
        assert "more than 10000 values" in answer.json()["detail"]


async def test_of_many_mistakes_the_first_fifty_are_told(stage: Stage) -> None:
    answer = await stage.http.post("/tasks", json={f"x{n}": 1 for n in range(1_000)})
    _check(answer, 422, "invalid-request")
    assert [error["pointer"] for error in answer.json()["errors"]] == [f"/x{n}" for n in range(50)]


async def test_the_way_to_a_mistake_is_told_as_far_as_it_is_short(stage: Stage) -> None:
    value: object = "\0"
    for _ in range(9):
        value = {"y" * 200: value, "z": 1}
    body = _with({"id": "a", "tool": "write_file", "args": value})
    answer = await stage.http.post("/tasks", json=body)
    _check(answer, 422, "invalid-request")
    [error] = answer.json()["errors"]
    assert error["pointer"] == "/pipeline/steps/0/args" + f"/{'y' * 200}" * 4


async def test_a_pipeline_with_too_many_references_is_refused(stage: Stage) -> None:
    text = "${inputs.a}" * 2_001
    body = _with({"id": "a", "tool": "write_file", "args": {"name": "x", "text": text}})
    answer = await stage.http.post("/tasks", json=body)
    _check(answer, 422, "invalid-request")
    [error] = answer.json()["errors"]
    assert error["pointer"] == "/pipeline/steps"
    assert "2001 references, more than 2000" in error["message"]


# Parameters and headers.


@pytest.mark.parametrize(
    ("method", "path", "known"),
    [
        ("GET", "/tasks", "status, type, text"),
        ("GET", f"/tasks/{UUID(int=0)}", "wait"),
        ("GET", f"/tasks/{UUID(int=0)}/events", "after"),
        ("POST", "/tasks", "none"),
        ("POST", "/files", "none"),
        ("DELETE", "/tools/mcp.x", "none"),
        ("GET", "/usage", "days"),
    ],
)
async def test_an_unknown_parameter_is_refused_by_name(
    stage: Stage, method: str, path: str, known: str
) -> None:
    answer = await stage.http.request(method, path, params={"colour": "red"})
    _check(answer, 422, "invalid-request")
    assert "query colour: there is no such parameter" in answer.json()["detail"]
    assert known in answer.json()["detail"]
    assert _parameters(answer) == ["colour"]


@pytest.mark.parametrize(
    ("method", "path", "headers", "parameter"),
    [
        ("GET", f"/tasks/{UUID(int=0)}?wait=61", {}, "wait"),
        ("GET", "/tasks?cursor=nonsense", {}, "cursor"),
        ("POST", "/tasks", {"Idempotency-Key": "k" * 256}, "Idempotency-Key"),
        ("GET", f"/tasks/{UUID(int=0)}/events", {"Last-Event-ID": "x"}, "Last-Event-ID"),
        ("GET", "/agents/events?after=nonsense", {}, "after"),
        ("DELETE", f"/groups/{UUID(int=0)}/members", {}, "member"),
    ],
)
async def test_a_parameter_that_is_wrong_is_named_for_programs(
    stage: Stage, method: str, path: str, headers: dict[str, str], parameter: str
) -> None:
    json = {"prompt": "Hello"} if method == "POST" else None
    answer = await stage.http.request(method, path, headers=headers, json=json)
    assert _parameters(answer) == [parameter], answer.text


def _parameters(answer: httpx.Response) -> list[str | None]:
    """Those of its problems, which are about nothing in the body."""
    places = answer.json()["errors"]
    assert [place["pointer"] for place in places] == [""] * len(places)
    return [place.get("parameter") for place in places]


async def test_a_query_of_too_many_parameters_is_refused(stage: Stage) -> None:
    answer = await stage.http.get("/tasks?" + "&".join(["status=failed"] * 101))
    _check(answer, 422, "invalid-request")
    assert "more than 100 parameters" in answer.json()["detail"]


@pytest.mark.parametrize(
    "params",
    [
        {"limit": "0"},
        {"limit": "201"},
        {"limit": "many"},
        {"cursor": "nonsense"},
        {"cursor": "bm9uc2Vuc2U="},
        {"cursor": "x" * 300},
        {"status": "dancing"},
        {"type": "dance"},
        {"text": "a\0b"},
        {"text": "x" * 300},
        {"created_after": "yesterday"},
        {"created_after": "1764400000"},
        {"created_before": "0.5"},
        {"created_before": "0001-01-01T00:00:00+14:00"},
    ],
)
async def test_a_bad_parameter_is_refused(stage: Stage, params: dict[str, str]) -> None:
    answer = await stage.http.get("/tasks", params=params)
    _check(answer, 422, "invalid-request")
    assert next(iter(params)) in answer.json()["detail"]


@pytest.mark.parametrize("key", ["", "x" * 256, "caf\xe9", "tab\there"])
async def test_a_bad_idempotency_key_is_refused(stage: Stage, key: str) -> None:
    headers = {b"Idempotency-Key": key.encode("latin-1"), b"Content-Type": b"application/json"}
    answer = await stage.http.post("/tasks", json={"pipeline": _GOOD}, headers=headers)
    _check(answer, 422, "invalid-request")


@pytest.mark.parametrize("value", ["-1", "x", "9" * 30, "1.5", "\xb2"])
async def test_a_bad_last_event_id_is_refused(stage: Stage, value: str) -> None:
    headers = {b"Last-Event-ID": value.encode("latin-1")}
    answer = await stage.http.get(f"/tasks/{uuid4()}/events", headers=headers)
    _check(answer, 400, "header-malformed")


@pytest.mark.parametrize("value", ["-1", "x", "9" * 30])
async def test_a_bad_place_among_events_is_refused(stage: Stage, value: str) -> None:
    answer = await stage.http.get(f"/tasks/{uuid4()}/events", params={"after": value})
    _check(answer, 422, "invalid-request")


async def test_an_id_that_is_none_is_refused(stage: Stage) -> None:
    _check(await stage.http.get("/tasks/nonsense/logs"), 422, "invalid-request")


async def test_an_unknown_path_is_not_found(stage: Stage) -> None:
    _check(await stage.http.get("/nowhere"), 404, "page-not-found")


async def test_a_wrong_method_is_reported_with_the_right_ones(stage: Stage) -> None:
    answer = await stage.http.delete("/tasks")
    _check(answer, 405, "method-not-allowed")
    assert answer.headers["Allow"] == "GET, POST"


# Size.


async def test_a_body_over_the_limit_is_refused_before_it_is_read(stage: Stage) -> None:
    body = {"pipeline": _GOOD, "prompt": "x" * 3_000_000}
    _check(await stage.http.post("/tasks", json=body), 413, "too-large")


async def test_a_body_of_unknown_length_is_refused_as_it_passes_the_limit(stage: Stage) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b" " * 100_000

    headers = {"Content-Type": "application/json"}
    answer = await stage.http.post("/tasks", content=endless(), headers=headers)
    _check(answer, 413, "too-large")


def _check(answer: httpx.Response, status: int, code: str) -> None:
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    document = answer.json()
    assert document["status"] == status
    assert document["code"] == code
    assert document["type"] == f"urn:agentos:problem:{code}"
    assert document["title"]
    assert document["detail"]


_PLACED = {
    "a body in YAML": (
        "pipeline:\n  name: x\n  steps:\n  - id: a\n    skil: greet\n",
        {"pointer": "/pipeline/steps/0/skil", "line": 5, "column": 5, "step": "a"},
        "unknown field skil; did you mean skill?",
    ),
    "what only the installed parts can tell": (
        "pipeline:\n  name: x\n  steps:\n  - {id: a, skill: gret}\n",
        {"pointer": "/pipeline/steps/0/skill", "line": 4, "column": 13, "step": "a"},
        "Did you mean greet?",
    ),
    "a pipeline that is a text": (
        json.dumps({"pipeline": "name: x\nsteps:\n- id: a\n  skil: greet\n"}),
        {"pointer": "/pipeline/steps/0/skil", "line": 4, "column": 3, "step": "a"},
        "did you mean skill?",
    ),
    "a text that is no YAML": (
        json.dumps({"pipeline": "name: x\nsteps:\n\t- id: a\n"}),
        {"pointer": "/pipeline", "line": 3, "column": 1},
        "a tab cannot indent a line",
    ),
    "JSON": (
        json.dumps({"pipeline": {"name": "x", "steps": [{"id": "a", "skil": "greet"}]}}),
        {"pointer": "/pipeline/steps/0/skil", "step": "a"},
        "did you mean skill?",
    ),
}


@pytest.mark.parametrize("name", _PLACED)
async def test_a_problem_has_the_line_column_and_step_where_it_is_written(
    stage: Stage, name: str
) -> None:
    body, place, said = _PLACED[name]
    kind = "application/json" if body.startswith("{") else "application/yaml"
    answer = await stage.http.post("/tasks", content=body, headers={"content-type": kind})
    [found] = answer.json()["errors"]
    assert said in found.pop("message")
    assert found == place


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/tasks?statuss=x", "did you mean status?"),
        ("/tasks?since=x", "did you mean created_after?"),
        ("/tasks?status=complete", "did you mean 'completed'?"),
        ("/tasks?cursor=x", "leave it out to begin with the first"),
        ("/tasks/12", "An id is a UUID"),
        ("/task", "Did you mean /api/v1/tasks?"),
        ("/tools/write_fil", "Did you mean write_file?"),
        ("/skills/gret", "Did you mean greet?"),
        ("/skills/greet/files/SKIL.md", "Did you mean SKILL.md?"),
    ],
)
async def test_a_name_that_nothing_has_leads_to_the_one_that_is_meant(
    stage: Stage, path: str, said: str
) -> None:
    assert said in (await stage.http.get(path)).json()["detail"]

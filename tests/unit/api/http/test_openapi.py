"""The OpenAPI document is one to build clients of: whole, named, described and valid."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import APIRouter
from openapi_spec_validator import validate
from pydantic import BaseModel

from api.http.document.assembly import Place
from api.http.document.content_files import content
from api.http.document.schemas import add_models
from api.http.document.shapes import METHODS, calls_of, parts_of
from api.http.openapi import DocumentedApi
from api.http.routes import health, task_history, tasks
from tests.unit.api.http.described import Json, the_document
from workflows.events import MODELS, EventType, names_of

SCHEMAS = "#/components/schemas/"
# What several calls may give alike.
SHARED = re.compile(r"\b(page of the list|dry_run|bulk run|files?|part of it)\b")
PROBLEM = "application/problem+json"


@pytest.fixture(scope="module")
def document() -> Json:
    return the_document()


def schemas_in(document: Json) -> Iterator[tuple[str, Json]]:
    """Each schema with its place, also those that stand within calls."""
    yield from document["components"]["schemas"].items()
    for _, _, call in calls_of(document):
        for part in parts_of(call):
            if isinstance(schema := part.get("schema"), dict):
                yield call["operationId"], schema


def answers_of(document: Json) -> Iterator[tuple[str, str, Json]]:
    """Each answer of each call: those that calls share are looked up."""
    for _, _, call in calls_of(document):
        for status, answer in call["responses"].items():
            name = answer.get("$ref", "").rpartition("/")[2]
            shared = document["components"]["responses"].get(name)
            yield call["operationId"], status, shared or answer


# It is valid, and the same each time.


def test_it_is_valid(document: Json) -> None:
    validate(document)


def test_every_reference_leads_somewhere(document: Json) -> None:
    for part in parts_of(document):
        if isinstance(target := part.get("$ref"), str):
            found = document
            for step in target.removeprefix("#/").split("/"):
                found = found[step]


def test_it_is_in_the_order_in_which_people_read(document: Json) -> None:
    tags = [tag["name"] for tag in document["tags"]]
    first_tags = [next(iter(item.values()))["tags"][0] for item in document["paths"].values()]
    assert first_tags == sorted(first_tags, key=tags.index)
    for parts in document["components"].values():
        assert list(parts) == sorted(parts)


def test_it_is_made_once() -> None:
    app = DocumentedApi()
    app.include_router(task_history.router)
    assert app.openapi() is app.openapi()
    assert app.document is app.document


def test_clients_find_the_server_behind_its_public_address(document: Json) -> None:
    app = DocumentedApi(place=Place(url="https://tasks.example.com"))
    app.include_router(task_history.router)
    [given], [none] = app.openapi()["servers"], document["servers"]
    assert given["url"] == "https://tasks.example.com"
    assert "came" not in given["description"]
    assert "comes from" not in given["description"]
    assert (none["url"], "comes from" in none["description"]) == ("/", True)


# Everything is described.


def test_every_schema_and_property_is_described(document: Json) -> None:
    for name, schema in document["components"]["schemas"].items():
        assert schema.get("description"), f"{name}: give its model a docstring"
        for key, part in schema.get("properties", {}).items():
            assert part.get("description"), f"{name}.{key}: say in content/words what it is"


def test_every_call_parameter_answer_and_tag_is_described(document: Json) -> None:
    tags = {tag["name"]: tag["description"] for tag in document["tags"]}
    for path, method, call in calls_of(document):
        assert call["summary"]
        assert call["description"]
        assert tags[call["tags"][0]]
        for parameter in call.get("parameters", ()):
            assert parameter.get("description"), f"{method} {path}: {parameter['name']}"
        if "requestBody" in call:
            assert call["requestBody"]["description"]
    for name, status, answer in answers_of(document):
        assert answer.get("description"), f"{name} {status}"
        assert answer["description"] != "Successful Response", f"{name} {status}: content/answers"


def test_what_was_made_or_accepted_is_told_by_each_call_in_words_of_its_own(document: Json) -> None:
    words = content("answers")
    made = [(name, status) for name, status, _ in answers_of(document) if status in ("201", "202")]
    assert [(name, status) for name, status in made if status not in words.get(name, {})] == []


def test_no_answer_that_went_well_is_described_in_words_that_fit_any(document: Json) -> None:
    told: dict[str, list[str]] = {}
    for name, status, answer in answers_of(document):
        if status.startswith("2"):
            words = answer["description"]
            assert not re.match(r"(Done|OK|Success|Successful Response)\b", words), (
                f"{name} {status}"
            )
            told.setdefault(words, []).append(name)
    alike = [names for words, names in told.items() if len(names) > 1 and not SHARED.search(words)]
    assert alike == []


def test_a_list_says_how_to_come_to_its_next_page(document: Json) -> None:
    pages = [
        answer["description"]
        for _, status, answer in answers_of(document)
        if status == "200" and "Page" in str(answer.get("content", {}).get("application/json"))
    ]
    assert len(pages) > 20
    assert {"next_cursor" in words for words in pages} == {True}


def test_the_introduction_tells_how_to_wait_for_a_task(document: Json) -> None:
    assert "GET /api/v1/tasks/{task_id}?wait=60" in document["info"]["description"]


def test_descriptions_are_markdown(document: Json) -> None:
    found = [part["description"] for part in parts_of(document) if "description" in part]
    assert [words for words in found if "``" in str(words)] == []


def test_nothing_is_said_of_what_is_not_there(document: Json) -> None:
    schemas = document["components"]["schemas"]
    for names, words in content("words").items():
        for name in () if names == "Everywhere" else names.split(", "):
            assert name in schemas, f"words: there is no schema {name}"
            assert words.keys() <= {"_", *schemas[name].get("properties", {})}, name
    calls = {call["operationId"]: call for _, _, call in calls_of(document)}
    for name, words in content("parameters").items():
        if name != "Everywhere":
            parameters = {each["name"] for each in calls[name].get("parameters", ())}
            assert words.keys() <= parameters, name
    assert content("examples").keys() <= calls.keys()
    assert content("answers").keys() <= calls.keys()
    assert set(content("located")["calls"]) <= calls.keys()
    assert content("samples").keys() <= {"Everywhere", "Formats", *schemas}


def test_every_body_has_an_example(document: Json) -> None:
    for path, method, call in calls_of(document):
        for media in call.get("requestBody", {}).get("content", {}).values():
            assert media.get("examples"), f"{method} {path}: write one in content/examples"
    for name, status, answer in answers_of(document):
        for kind, media in answer.get("content", {}).items():
            if kind.endswith("json"):
                assert "example" in media or "examples" in media, f"{name} {status}"


# Every call says how it may be refused.


def test_every_refusal_is_a_problem_document(document: Json) -> None:
    for name, status, answer in answers_of(document):
        if status == "default" or (status >= "400" and (name, status) != ("getReadiness", "503")):
            assert list(answer["content"]) == [PROBLEM]
            assert answer["content"][PROBLEM]["schema"] == {"$ref": f"{SCHEMAS}Problem"}
            assert answer["content"][PROBLEM]["examples"]
    assert "HTTPValidationError" not in document["components"]["schemas"]


def test_every_call_lists_how_it_may_be_refused(document: Json) -> None:
    for path, method, call in calls_of(document):
        wanted = {"403", "422", "default"}
        if call.get("security") != []:
            wanted |= {"401"} if path.startswith("/codec") else {"401", "503"}
        if "{" in path:
            wanted.add("404")
        if "requestBody" in call:
            wanted |= {"400", "408", "413", "415"}
        assert wanted <= call["responses"].keys(), f"{method} {path}"


@pytest.mark.parametrize(
    ("name", "statuses"),
    [
        ("submitTask", {"202", "400", "401", "403", "408", "409", "413", "415", "422", "503"}),
        ("cancelTask", {"202", "401", "403", "404", "409", "422", "503"}),
        ("streamTaskEvents", {"200", "204", "400", "401", "403", "404", "422", "429", "503"}),
        ("downloadArtifact", {"200", "206", "304", "401", "403", "404", "416", "422", "503"}),
    ],
)
def test_no_call_lists_how_it_is_never_refused(
    document: Json, name: str, statuses: set[str]
) -> None:
    [call] = [call for _, _, call in calls_of(document) if call["operationId"] == name]
    assert call["responses"].keys() == {*statuses, "default"}


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        ("tellTask", "409", "told-too-much"),
        ("createAgent", "409", "agent-refused"),
        ("changeAgent", "409", "agent-moved"),
        ("changeAgent", "409", "agent-name-taken"),
        ("openBreaker", "404", "breaker-not-found"),
        ("openBreaker", "409", "too-many-breakers"),
        ("requeueDeadLetters", "422", "too-many-letters"),
        ("cancelTasks", "422", "too-many-tasks"),
        ("registerTools", "403", "servers-of-owner"),
        ("listTaskLogs", "404", "step-not-found"),
    ],
)
def test_a_call_names_each_way_in_which_it_is_refused(
    document: Json, name: str, status: str, code: str
) -> None:
    answers = {(name, status): answer for name, status, answer in answers_of(document)}
    assert f"`{code}`" in answers[name, status]["description"]


def test_a_refusal_names_its_codes_and_its_headers(document: Json) -> None:
    answers = {(name, status): answer for name, status, answer in answers_of(document)}
    assert "`idempotency-conflict`" in answers["submitTask", "409"]["description"]
    assert "Retry-After" in answers["submitTask", "503"]["headers"]
    assert "Content-Range" in answers["downloadFile", "416"]["headers"]
    assert "Location" in answers["submitTask", "202"]["headers"]


# Names are fit for generated code.


def test_calls_have_names_to_be_called_by(document: Json) -> None:
    names = [call["operationId"] for _, _, call in calls_of(document)]
    assert len(set(names)) == len(names)
    assert [name for name in names if not re.fullmatch(r"[a-z][a-zA-Z]{4,39}", name)] == []
    assert {"submitTask", "listTasks", "getTask", "streamTaskEvents", "uploadFile"} <= set(names)


def test_schemas_have_names_and_nothing_but_these_has_a_title(document: Json) -> None:
    for name, schema in document["components"]["schemas"].items():
        assert re.fullmatch(r"[A-Z][A-Za-z0-9]+", name)
        assert schema["title"] == name
    for name, schema in schemas_in(document):
        for part in parts_of(schema):
            assert part is schema or not isinstance(part.get("title"), str), name


def test_objects_and_sets_of_values_are_named(document: Json) -> None:
    for name, schema in schemas_in(document):
        is_named = document["components"]["schemas"].get(name) is schema
        for part in parts_of(schema):
            if part is schema and is_named:
                continue
            assert not isinstance(part.get("enum"), list), f"{name}: name it in schemas.py"
            assert not (part.get("type") == "object" and "properties" in part), name


def test_no_schema_has_a_list_or_an_object_of_its_own_name(document: Json) -> None:
    """The code that generators make of it takes one for the other."""
    for name, schema in document["components"]["schemas"].items():
        own = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
        part = schema.get("properties", {}).get(own, {})
        kinds = [part, *part.get("anyOf", ())]
        assert not any("$ref" in kind or "items" in kind for kind in kinds), name


def test_generators_find_no_two_things_of_one_name(document: Json) -> None:
    """They call an object within `Task` that is its `inputs` `TaskInputs`."""
    schemas = document["components"]["schemas"]
    for name, schema in schemas.items():
        for key, part in schema.get("properties", {}).items():
            is_object = any(each.get("type") == "object" for each in (part, *part.get("anyOf", ())))
            within = name + "".join(word.capitalize() for word in key.split("_"))
            assert not is_object or within not in schemas


def test_numbers_say_how_large_they_are(document: Json) -> None:
    for name, schema in schemas_in(document):
        for part in parts_of(schema):
            if part.get("type") in ("integer", "number"):
                assert part["format"] in ("int32", "int64", "double"), name


def test_unions_of_objects_say_what_tells_them_apart(document: Json) -> None:
    for _, schema in schemas_in(document):
        for part in parts_of(schema):
            if "oneOf" in part:
                mapping = part["discriminator"]["mapping"]
                assert [*mapping.values()] == [each["$ref"] for each in part["oneOf"]]


def test_two_models_of_one_name_are_refused() -> None:
    class Note(BaseModel):
        odd: int

    schemas = {"Note": {"type": "object", "properties": {"text": {"type": "string"}}}}
    with pytest.raises(ValueError, match="two models are called Note"):
        add_models(schemas, {"Note": Note})


def test_an_agent_of_a_task_is_not_taken_for_one_that_stays(document: Json) -> None:
    schemas = document["components"]["schemas"]
    asked = schemas["TaskRequest"]["properties"]["agent"]["anyOf"]
    assert {"$ref": f"{SCHEMAS}AgentDefinition"} in asked
    assert "output_schema" in schemas["AgentDefinition"]["properties"]
    assert "unread" in schemas["Agent"]["properties"]


# Events.


@pytest.mark.parametrize("kind", EventType)
def test_every_event_is_a_schema_to_which_the_stream_refers(
    document: Json, kind: EventType
) -> None:
    schemas = document["components"]["schemas"]
    model = MODELS[kind]
    name = schemas["TaskEvent"]["discriminator"]["mapping"][kind].removeprefix(SCHEMAS)
    assert name == f"{model.__name__}Event"
    data = schemas[name]["properties"]["data"]["$ref"].removeprefix(SCHEMAS)
    assert schemas[data]["properties"].keys() == {*names_of(model), "created_at"}
    assert schemas[name]["properties"]["event"]["const"] == kind.value


def test_a_stream_has_no_event_that_is_none(document: Json) -> None:
    mapping = document["components"]["schemas"]["TaskEvent"]["discriminator"]["mapping"]
    assert mapping.keys() == set(EventType)


@pytest.mark.parametrize(
    ("name", "events"),
    [
        ("streamTaskEvents", "TaskEvent"),
        ("streamAgentEvents", "AgentEvent"),
        ("streamTeamEvents", "TeamEvent"),
        ("streamGroupEvents", "GroupEvent"),
    ],
)
def test_streams_name_what_they_send(document: Json, name: str, events: str) -> None:
    [call] = [call for _, _, call in calls_of(document) if call["operationId"] == name]
    media = call["responses"]["200"]["content"]
    assert media == {"text/event-stream": {"schema": {"$ref": f"{SCHEMAS}{events}"}}}


# Keys.


@pytest.mark.parametrize("keys_required", [True, False])
def test_calls_say_which_key_they_ask_for(keys_required: bool) -> None:
    app = DocumentedApi(place=Place(keys_required=keys_required))
    for router, prefix in ((tasks.router, "/api/v1"), (health.router, "")):
        app.include_router(router, prefix=prefix)
    document = app.openapi()
    scheme = document["components"]["securitySchemes"]["apiKey"]
    assert (scheme["type"], scheme["scheme"]) == ("http", "bearer")
    keys: list[Any] = [{"apiKey": []}, {"session": []}]
    assert document["security"] == (keys if keys_required else [*keys, {}])
    assert "security" not in document["paths"]["/api/v1/tasks"]["get"]
    opening = [{"metricsToken": []}, *document["security"]]
    assert document["paths"]["/metrics"]["get"]["security"] == opening
    assert document["paths"]["/healthz"]["get"]["security"] == []


def test_no_secret_is_in_it(document: Json) -> None:
    assert not re.search(r"ak_[0-9a-f]{8,}[1-9a-f]", json.dumps(document))


def test_routes_need_not_be_named(document: Json) -> None:
    router = APIRouter()

    @router.get("/odd", tags=["about"])
    async def list_odd_things() -> None:
        """Odd things. They are many."""

    app = DocumentedApi()
    app.include_router(router)
    call = app.openapi()["paths"]["/odd"]["get"]
    assert (call["operationId"], call["summary"]) == ("listOddThings", "Odd things")
    assert set(app.openapi()["paths"]["/odd"]) <= set(METHODS)

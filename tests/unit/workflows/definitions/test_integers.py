"""Whole numbers in requests: 5.0 is the integer 5, in JSON as in YAML."""

from collections.abc import Iterator
from typing import Annotated, Any, get_args

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from api.tasks.digests import digest_of
from api.wire import agent_requests, bulk, bulk_tasks, group_requests, requests, schedule_requests
from api.wire.json_reader import parse_json
from api.wire.yaml_reader import parse_yaml
from workflows.definitions.task_request import TaskRequest

MODULES = (agent_requests, bulk, bulk_tasks, group_requests, requests, schedule_requests)


def models_in(kind: Any, seen: set[type[BaseModel]]) -> Iterator[type[BaseModel]]:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        if kind not in seen:
            seen.add(kind)
            yield kind
            for field in kind.model_fields.values():
                yield from models_in(field.annotation, seen)
        return
    for part in get_args(kind):
        yield from models_in(part, seen)


def is_integer(kind: Any) -> bool:
    parts = get_args(kind)
    return kind is int or any(part is int or int in get_args(part) for part in parts)


def integers() -> Iterator[tuple[str, FieldInfo]]:
    seen: set[type[BaseModel]] = set()
    for module in MODULES:
        for asked in vars(module).values():
            for model in models_in(asked, seen):
                for name, field in model.model_fields.items():
                    if is_integer(field.annotation):
                        yield f"{model.__name__}.{name}", field


INTEGERS = dict(integers())


def test_the_integers_of_requests_are_found() -> None:
    assert len(INTEGERS) > 20
    assert {"TaskRequest.priority", "Step.parallel", "ToolChange.max_running"} <= INTEGERS.keys()


@pytest.mark.parametrize("name", INTEGERS)
def test_every_integer_of_a_request_may_be_written_with_a_point(name: str) -> None:
    field = INTEGERS[name]
    whole: Any = field.annotation
    if field.metadata:
        whole = Annotated[whole, *field.metadata]
    adapter: TypeAdapter[Any] = TypeAdapter(whole)
    found = adapter.validate_python(1.0)
    assert (found, type(found)) == (1, int)
    for wrong in (1.5, "1", True, float("nan"), float("inf"), 2.0**60):
        with pytest.raises(ValidationError):
            adapter.validate_python(wrong)


@pytest.mark.parametrize("written", ["5.0", "5", "5e0", "50e-1"])
def test_a_number_is_one_however_json_writes_it(written: str) -> None:
    body = '{"prompt": "x", "priority": PRIORITY, "agent": {"limits": {"turns": 3}}}'
    whole = TaskRequest.model_validate(parse_json(body.replace("PRIORITY", "5").encode()))
    asked = TaskRequest.model_validate(parse_json(body.replace("PRIORITY", written).encode()))
    assert asked.model_dump_json() == whole.model_dump_json()
    assert digest_of(asked) == digest_of(whole)


def test_in_yaml_a_step_takes_whole_numbers_with_a_point_too() -> None:
    text = """\
pipeline:
  name: x
  parallel: 3.0
  steps: [{id: a, skill: b, retries: 2.0, retry_on: [timeout, 7.00]}]
"""
    with_points = TaskRequest.model_validate(parse_yaml(text))
    without = TaskRequest.model_validate(parse_yaml(text.replace(".00", "").replace(".0", "")))
    assert with_points == without
    assert digest_of(with_points) == digest_of(without)
    assert with_points.model_dump_json() == without.model_dump_json()

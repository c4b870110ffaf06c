"""What a running stack tells monitors, as Prometheus reads it."""

import asyncio
import json
from collections.abc import Mapping

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from activities.metrics.definitions import OF_APIS, OF_PROCESSES, OF_WORKERS, STORED, Kind
from activities.metrics.label_values import looks_like_an_id
from tests.live import Live

STEPS = (
    {"id": "print", "code": {"language": "python", "source": "print(1)"}},
    {"id": "note", "tool": "write_file", "args": {"name": "a.txt", "text": "x"}},
)

Samples = Mapping[str, Mapping[frozenset[tuple[str, str]], float]]


def url_of(live: Live, part: str) -> str:
    state = json.loads((live.services.data_dir / "services.json").read_text())
    return str(state[part]["url"])


def parsed(text: str) -> Samples:
    found: dict[str, dict[frozenset[tuple[str, str]], float]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, {})[frozenset(sample.labels.items())] = sample.value
    return found


async def scraped(live: Live) -> tuple[Samples, Samples]:
    async with httpx.AsyncClient() as client:
        worker = await client.get(f"{url_of(live, 'worker')}/metrics")
    api = await live.http.get("/metrics")
    assert worker.status_code == api.status_code == 200
    return parsed(api.text), parsed(worker.text)


@pytest.fixture(scope="module")
async def both(live: Live) -> tuple[Samples, Samples]:
    """What API and worker tell after a pipeline and an agent."""
    await live.run(*STEPS)
    await live.run_agent("Profile the data and write a report")
    # Ends are tallied every few seconds, and the database is read every ten.
    async with asyncio.timeout(60):
        while True:
            api, worker = await scraped(live)
            types = {
                dict(labels).get("type") for labels in api.get("agentos_tasks_ended_total", {})
            }
            if {"pipeline", "agent"} <= types:
                return api, worker
            await asyncio.sleep(1)


def test_each_metric_is_told_where_it_is_said_to_be(both: tuple[Samples, Samples]) -> None:
    for samples, metrics in zip(
        both, ((*OF_PROCESSES, *OF_APIS, *STORED), (*OF_PROCESSES, *OF_WORKERS)), strict=True
    ):
        for metric in metrics:
            name = f"{metric.name}_count" if metric.kind is Kind.HISTOGRAM else metric.name
            for labels in samples.get(name, {}):
                assert {label for label, _ in labels} == set(metric.labels)
            # Of what has labels there may be nothing yet.
            assert name in samples or metric.labels, name
    ours = {name for samples in both for name in samples if name.startswith("agentos_")}
    known = {metric.name for metric in (*OF_PROCESSES, *OF_APIS, *STORED, *OF_WORKERS)}
    ends = ("_bucket", "_count", "_sum")
    assert {name for name in ours if name not in known and not name.endswith(ends)} == set()


def test_no_label_has_an_id(both: tuple[Samples, Samples]) -> None:
    for samples in both:
        for name, found in samples.items():
            assert len(found) < 500, name
            for labels in found:
                for label, value in labels:
                    assert not looks_like_an_id(value), (name, label, value)


def test_steps_turns_models_and_sandboxes_are_counted(both: tuple[Samples, Samples]) -> None:
    _, worker = both
    steps = worker["agentos_step_duration_seconds_count"]
    kinds = {dict(labels)["kind"] for labels in steps}
    assert {"code", "tool"} <= kinds
    turns = worker["agentos_turn_duration_seconds_count"]
    assert sum(turns.values()) >= 1
    tokens = worker["agentos_model_tokens_total"]
    assert sum(tokens.values()) > 0
    tools = worker["agentos_tool_calls_total"]
    assert tools[frozenset({("tool", "write_file"), ("end", "ok")})] >= 1
    starts = worker["agentos_sandbox_start_seconds_count"]
    assert {dict(labels)["start"] for labels in starts} <= {"warm", "cold"}
    assert sum(starts.values()) >= 1
    assert worker["agentos_step_slots"][frozenset()] >= 1


def test_libraries_tell_of_themselves_in_both(both: tuple[Samples, Samples]) -> None:
    for samples in both:
        assert samples["process_cpu_seconds_total"][frozenset()] > 0
        assert samples["process_resident_memory_bytes"][frozenset()] > 0
        assert samples["temporal_request_total"]
    _, worker = both
    slots = worker["temporal_worker_task_slots_available"]
    activities = {("task_queue", "agentos"), ("worker_type", "ActivityWorker")}
    assert slots[frozenset(activities)] >= 1
    waits = worker["temporal_activity_schedule_to_start_latency_seconds_bucket"]
    assert {label for labels in waits for label, _ in labels} == {"le", "task_queue"}


async def test_a_worker_of_a_stack_is_ready_once_it_polls(live: Live) -> None:
    async with httpx.AsyncClient(base_url=url_of(live, "worker")) as client:
        answer = await client.get("/readyz")
        assert answer.status_code == 200, answer.text
        states = {each["name"]: each["state"] for each in answer.json()["dependencies"]}
        assert states == dict.fromkeys(("postgres", "temporal", "s3", "sandbox"), "up")
        assert (await client.get("/healthz")).json() == {"state": "alive"}

"""Health, metrics, logs, and what guards the door."""

import asyncio
import re
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
import structlog
from fastapi import FastAPI
from sqlalchemy import make_url

from activities.disk import Disk
from activities.store.blobs import Blobs
from activities.store.database import Database
from activities.store.options import S3Options
from api.app import create_app
from api.services import Services as ApiServices
from deploy.local.services import Services
from deploy.local.tcp_ports import choose_ports
from tests.databases import hang_up
from tests.integration.api_stage import Stage, api_stage, pipeline
from tests.live import until
from tests.small_disks import fill, small_disk


async def test_a_whole_system_is_ready(stage: Stage) -> None:
    answer = await stage.http.get(f"{stage.url}/readyz")
    assert answer.status_code == 200
    assert answer.json()["state"] == "ready"
    found = {item["name"]: item["state"] for item in answer.json()["dependencies"]}
    assert found == {"postgres": "up", "temporal": "up", "s3": "up"}
    assert all(item["latency_ms"] > 0 for item in answer.json()["dependencies"])


async def test_workers_that_ask_for_work_are_counted(stage: Stage) -> None:
    async def has_one() -> bool:
        return (await stage.http.get(f"{stage.url}/readyz")).json()["workers"] == 1

    await until(has_one)


async def test_an_api_without_workers_is_ready_and_says_so(
    infrastructure: Services, skills_folder: Path
) -> None:
    async with api_stage(infrastructure, skills_folder, works=False) as stage:
        answer = await stage.http.get(f"{stage.url}/readyz")
        assert (answer.status_code, answer.json()["workers"]) == (200, 0)


async def test_a_database_without_our_tables_is_a_dependency_that_is_down(
    stage: Stage, empty_database_url: str
) -> None:
    database = Database(empty_database_url)
    async with _client(create_app(replace(stage.services, database=database))) as client:
        answer = await client.get("/readyz")
    await database.close()
    assert answer.status_code == 503
    assert {"name": "postgres", "state": "down"}.items() <= answer.json()["dependencies"][0].items()


async def test_a_full_disk_is_named_by_readiness_and_by_what_is_refused(
    stage: Stage, infrastructure: Services, tmp_path: Path
) -> None:
    s3 = infrastructure.s3
    with small_disk(tmp_path / "disk", 64) as folder:
        options = S3Options(s3.endpoint, s3.bucket, s3.access_key, s3.secret_key, folder)
        full = replace(_open(stage.services), blobs=Blobs(options), disk=Disk(folder, "AgentOS"))
        ballast = fill(folder)
        async with _client(create_app(full)) as client:
            readiness = await client.get("/readyz")
            upload = {"file": ("a.txt", uuid4().bytes)}
            refusal = await client.post("/api/v1/files", files=upload)
            ballast.unlink()
            accepted = await client.post("/api/v1/files", files=upload)
    found = {item["name"]: item["state"] for item in readiness.json()["dependencies"]}
    assert (readiness.status_code, found["disk"]) == (503, "down")
    [detail] = filter(None, (item["detail"] for item in readiness.json()["dependencies"]))
    assert "0 MiB free, and 33 MiB must stay free. Free some space" in detail
    assert str(tmp_path) not in detail
    assert (refusal.status_code, refusal.json()["code"]) == (503, "disk-full")
    assert "disk" in refusal.json()["detail"]
    assert "retry-after" in refusal.headers
    assert accepted.status_code == 201


async def test_a_service_that_is_away_because_its_disk_is_full_is_said_to_be_so(
    stage: Stage, tmp_path: Path
) -> None:
    database = Database("postgresql+asyncpg://nobody@127.0.0.1:1/nothing")
    with small_disk(tmp_path / "disk", 64) as folder:
        fill(folder)
        away = replace(_open(stage.services), database=database, disk=Disk(folder, "AgentOS"))
        async with _client(create_app(away)) as client:
            answer = await client.post("/api/v1/tasks", json={"pipeline": pipeline("print x")})
    await database.close()
    assert (answer.status_code, answer.json()["code"]) == (503, "disk-full")


async def test_a_database_that_does_not_let_us_in_is_a_dependency_that_is_down(
    stage: Stage,
) -> None:
    url = make_url(stage.database.url).set(username="stranger")
    database = Database(url.render_as_string(hide_password=False))
    async with _client(create_app(replace(stage.services, database=database))) as client:
        answer = await client.get("/readyz")
    await database.close()
    assert answer.status_code == 503
    assert {"name": "postgres", "state": "down"}.items() <= answer.json()["dependencies"][0].items()
    assert "stranger" not in answer.text


async def test_readyz_reports_each_dependency_that_is_down(
    infrastructure: Services, skills_folder: Path
) -> None:
    [closed] = choose_ports([None])
    async with api_stage(
        infrastructure, skills_folder, works=False, temporal_address=f"127.0.0.1:{closed}"
    ) as stage:
        answer = await stage.http.get(f"{stage.url}/readyz")
        assert answer.status_code == 503
        found = {item["name"]: item["state"] for item in answer.json()["dependencies"]}
        assert found == {"postgres": "up", "temporal": "down", "s3": "up"}
        assert answer.json()["workers"] is None
        assert str(closed) not in answer.text
        assert (await stage.http.get(f"{stage.url}/healthz")).status_code == 200


async def test_a_missing_bucket_is_a_dependency_that_is_down(
    stage: Stage, infrastructure: Services
) -> None:
    s3 = infrastructure.s3
    blobs = Blobs(S3Options(s3.endpoint, "no-such-bucket", s3.access_key, s3.secret_key))
    async with _client(create_app(replace(stage.services, blobs=blobs))) as client:
        answer = await client.get("/readyz")
    assert answer.status_code == 503
    assert {"name": "s3", "state": "down"}.items() <= answer.json()["dependencies"][2].items()


async def test_metrics_have_requests_tasks_and_connections(stage: Stage) -> None:
    await stage.until(await stage.submit("print x"), "completed")
    text = (await stage.http.get(f"{stage.url}/metrics")).text
    assert 'agentos_tasks{status="running",type="pipeline"}' in text
    assert 'agentos_database_connections{state="in_use"}' in text
    assert 'agentos_http_request_duration_seconds_count{method="POST",route="/api/v1/tasks"' in text


async def test_an_unknown_path_makes_no_new_metric(stage: Stage) -> None:
    await stage.http.get("/made-up-by-a-stranger")
    assert "made-up" not in (await stage.http.get(f"{stage.url}/metrics")).text


async def test_the_index_names_what_there_is(stage: Stage) -> None:
    index = (await stage.http.get(f"{stage.url}/api/v1")).json()
    for name in ("tasks", "skills", "tools", "calls", "docs", "health", "metrics"):
        assert (await stage.http.get(stage.url + index[name])).is_success, name


async def test_the_calls_are_described_and_nothing_comes_from_elsewhere(stage: Stage) -> None:
    document = (await stage.http.get("/openapi.json")).json()
    body = document["paths"]["/api/v1/tasks"]["post"]["requestBody"]["content"]
    name = body["application/json"]["schema"]["$ref"].rpartition("/")[2]
    assert "pipeline" in document["components"]["schemas"][name]["properties"]
    page = (await stage.http.get(f"{stage.url}/docs")).text
    assert not re.search(r'(?:src|href)="(?:https?:)?//', page)
    for path in re.findall(r'(?:src|href)="([^"]+)"', page):
        assert (await stage.http.get(stage.url + path)).is_success, path


async def test_the_document_is_sent_once_to_whoever_keeps_it(stage: Stage) -> None:
    answer = await stage.http.get("/openapi.json")
    again = await stage.http.get("/openapi.json", headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


# Requests in the log.


async def test_a_request_keeps_the_id_that_it_came_with(stage: Stage) -> None:
    answer = await stage.http.get("/tasks", headers={"X-Request-ID": "abc-123"})
    assert answer.headers["X-Request-ID"] == "abc-123"


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, 'a"b', "a\tb"])
async def test_an_id_that_could_forge_a_log_is_replaced(stage: Stage, given: str) -> None:
    answer = await stage.http.get("/tasks", headers={"X-Request-ID": given})
    assert answer.headers["X-Request-ID"] != given
    assert len(answer.headers["X-Request-ID"]) == 32


async def test_a_line_in_the_log_has_no_query_and_no_key(stage: Stage) -> None:
    team = await stage.team()
    with structlog.testing.capture_logs() as lines:
        await team.get("/tasks", params={"text": "confidential"})
    [line] = [line for line in lines if line["event"] == "http.request"]
    assert (line["method"], line["status"]) == ("GET", 200)
    assert "confidential" not in str(lines)
    assert "ak_" not in str(lines)


async def test_an_unexpected_error_tells_nothing_but_its_id(stage: Stage) -> None:
    app = create_app(stage.services)

    @app.get("/codec/crash")
    async def crash() -> None:
        raise ValueError("password=hunter2")

    async with _client(app, raise_app_exceptions=False) as client:
        with structlog.testing.capture_logs() as lines:
            answer = await client.get("/codec/crash", headers={"X-Request-ID": "find-me"})
    assert answer.status_code == 500
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert "hunter2" not in answer.text
    assert "find-me" in answer.json()["detail"]
    [line] = [line for line in lines if line["event"] == "http.crashed"]
    assert line["request_id"] == "find-me"
    assert "hunter2" in str(line["exc_info"])


# Foreign pages.


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Host": "localhost:8000"}, 200),
        ({"Host": "[::1]:8000"}, 200),
        ({"Host": "192.168.1.7:8000"}, 200),
        ({"Host": "evil.example"}, 403),
        ({"Host": "localhost.evil.example:8000"}, 403),
        ({"Host": ""}, 403),
        ({"Host": "[::1"}, 403),
        ({"Origin": "https://evil.example"}, 200),
    ],
)
async def test_the_api_is_served_only_under_its_own_host_names(
    stage: Stage, headers: dict[str, str], status: int
) -> None:
    answer = await stage.http.get("/tasks", headers=headers)
    assert answer.status_code == status


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://[", "http://127.0.0.1:1"]
)
async def test_a_foreign_page_cannot_write(stage: Stage, origin: str) -> None:
    answer = await stage.http.post(
        "/files", files={"file": ("a", b"x")}, headers={"Origin": origin}
    )
    assert answer.status_code == 403
    assert answer.json()["code"] == "origin-refused"
    # To name the page's host as one of ours would not help.
    assert "Set AGENTOS_KEYS_REQUIRED=true" in answer.json()["detail"]
    assert "SERVED_HOSTS" not in answer.json()["detail"]


async def test_a_foreign_host_is_told_which_setting_would_make_it_ours(stage: Stage) -> None:
    answer = await stage.http.get("/tasks", headers={"Host": "agentos.example"})
    assert answer.status_code == 403
    assert "add it to AGENTOS_SERVED_HOSTS" in answer.json()["detail"]


async def test_our_own_page_can_write(stage: Stage) -> None:
    answer = await stage.http.post(
        "/files", files={"file": ("a", b"x")}, headers={"Origin": stage.url}
    )
    assert answer.status_code == 201


async def test_a_name_that_is_said_to_be_ours_is_served(stage: Stage) -> None:
    options = replace(stage.services.options, served_hosts=("agentos.example",))
    services = _open(replace(stage.services, options=options))
    async with _client(create_app(services)) as client:
        answer = await client.get("/api/v1/tasks", headers={"Host": "agentos.example"})
        assert answer.status_code == 200


# Parts that are away.


async def test_a_store_that_is_away_is_reported_as_temporary(stage: Stage) -> None:
    [closed] = choose_ports([None])
    blobs = Blobs(S3Options(f"http://127.0.0.1:{closed}", "bucket", "key", "secret"))
    async with _client(create_app(_open(replace(stage.services, blobs=blobs)))) as client:
        answer = await client.post("/api/v1/files", files={"file": ("a", b"x")})
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "2"
    assert answer.json()["code"] == "temporary-failure"
    assert str(closed) not in answer.text


async def test_a_database_that_hung_up_fails_no_request(stage: Stage) -> None:
    await asyncio.gather(*(stage.http.get("/tasks") for _ in range(5)))
    assert await hang_up(stage.database.url) > 1
    answers = await asyncio.gather(*(stage.http.get("/tasks") for _ in range(5)))
    assert [answer.status_code for answer in answers] == [200] * 5


async def test_a_database_that_is_away_is_reported_as_temporary(stage: Stage) -> None:
    [closed] = choose_ports([None])
    services = replace(
        stage.services, database=Database(f"postgresql+asyncpg://x@127.0.0.1:{closed}/x")
    )
    async with _client(create_app(_open(services))) as client:
        for method, path in (("POST", "/tasks"), ("GET", "/tasks"), ("GET", f"/tasks/{uuid4()}")):
            body = {"pipeline": pipeline("print x")} if method == "POST" else None
            answer = await client.request(method, f"/api/v1{path}", json=body)
            assert answer.status_code == 503, answer.text
            assert answer.json()["code"] == "temporary-failure"
            assert str(closed) not in answer.text
        ready = await client.get("/readyz")
        assert ready.status_code == 503
        assert ready.json()["dependencies"][0]["state"] == "down"


def _open(services: ApiServices) -> ApiServices:
    """To requests that come over no connection, whose sender the kernel cannot tell."""
    return replace(services, options=replace(services.options, open_loopback=True))


def _client(app: FastAPI, *, raise_app_exceptions: bool = True) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app, raise_app_exceptions=raise_app_exceptions)
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1")

"""Uploads and downloads."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from deploy.local.services import Services
from tests.integration.api_stage import Stage, api_stage, pipeline
from tests.integration.resident_rows import new_agent
from tests.integration.stuck_tables import stuck

CONTENT = bytes(range(256)) * 40


async def _upload(
    stage: Stage, name: str, content: bytes, kind: str = "text/csv"
) -> httpx.Response:
    return await stage.http.post("/files", files={"file": (name, content, kind)})


@pytest.fixture(scope="module")
async def file(stage: Stage) -> str:
    """The path of an uploaded file with ``CONTENT``."""
    answer = await _upload(stage, "data.bin", CONTENT, "application/octet-stream")
    return str(answer.headers["Location"])


async def test_an_uploaded_file_can_be_downloaded_again(stage: Stage) -> None:
    answer = await _upload(stage, "sales.csv", b"a,b\n1,2\n")
    assert answer.status_code == 201
    body = answer.json()
    assert answer.headers["Location"] == body["url"] == f"/api/v1/files/{body['id']}"
    assert body["name"] == "sales.csv"
    assert body["size"] == 8
    assert body["mime_type"] == "text/csv"
    assert body["sha256"] == hashlib.sha256(b"a,b\n1,2\n").hexdigest()
    got = await stage.http.get(stage.url + body["url"])
    assert got.content == b"a,b\n1,2\n"
    assert got.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert got.headers["Content-Length"] == "8"
    assert got.headers["ETag"] == f'"{body["sha256"]}"'


async def test_an_empty_file_is_a_file(stage: Stage) -> None:
    body = (await _upload(stage, "empty", b"")).json()
    assert body["size"] == 0
    assert (await stage.http.get(stage.url + body["url"])).content == b""


async def test_a_large_file_passes_through(stage: Stage) -> None:
    content = bytes(20 * 1024 * 1024)
    body = (await _upload(stage, "large", content)).json()
    async with stage.http.stream("GET", stage.url + body["url"]) as got:
        digest = hashlib.sha256()
        async for chunk in got.aiter_bytes():
            digest.update(chunk)
    assert digest.hexdigest() == body["sha256"] == hashlib.sha256(content).hexdigest()


async def test_the_type_is_guessed_when_the_client_does_not_know(stage: Stage) -> None:
    body = (await _upload(stage, "a.png", b"x", "application/octet-stream")).json()
    assert body["mime_type"] == "image/png"


@pytest.mark.parametrize("kind", ["text/html\r\nX-Evil: 1", "nonsense", "a/b/c", "x" * 200 + "/y"])
async def test_a_type_that_is_none_becomes_unknown(stage: Stage, kind: str) -> None:
    content = (
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n'
        b"Content-Type: " + kind.replace("\r\n", " ").encode() + b"\r\n\r\nhi\r\n--x--\r\n"
    )
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    answer = await stage.http.post("/files", content=content, headers=headers)
    assert answer.json()["mime_type"] == "application/octet-stream"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\windows\\win.ini", "win.ini"),
        ("..", "upload"),
        ("a\tb.csv", "ab.csv"),
        ("exe.\u202egpj.txt", "exe.gpj.txt"),
        ("Übersicht 2024.csv", "Übersicht 2024.csv"),
        ("x" * 300 + ".csv", "x" * 251 + ".csv"),
    ],
)
async def test_a_hostile_name_is_made_harmless(stage: Stage, given: str, kept: str) -> None:
    content = (
        f'--x\r\nContent-Disposition: form-data; name="file"; filename="{given}"\r\n\r\n'
        "hi\r\n--x--\r\n"
    )
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    answer = await stage.http.post("/files", content=content.encode(), headers=headers)
    assert answer.json()["name"] == kept


@pytest.mark.parametrize(
    "kind", ["text/html", "image/svg+xml", "application/xhtml+xml", "text/xml"]
)
async def test_files_that_a_browser_would_run_are_sent_as_downloads(
    stage: Stage, kind: str
) -> None:
    body = (await _upload(stage, "pa;ge\u00e4.html", b"<script>alert(1)</script>", kind)).json()
    got = await stage.http.get(stage.url + body["url"])
    assert got.headers["Content-Disposition"] == (
        "attachment; filename=\"pa;ge_.html\"; filename*=UTF-8''pa%3Bge%C3%A4.html"
    )
    assert got.headers["X-Content-Type-Options"] == "nosniff"
    assert got.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"


@pytest.mark.parametrize("kind", ["image/png", "text/plain", "application/json"])
async def test_files_that_cannot_hold_scripts_may_be_shown_inline(stage: Stage, kind: str) -> None:
    body = (await _upload(stage, "a", b"x", kind)).json()
    got = await stage.http.get(stage.url + body["url"])
    assert got.headers["Content-Disposition"].startswith("inline;")


async def test_an_artifact_is_downloaded_as_an_upload_is(stage: Stage) -> None:
    task_id = await stage.submit("file page.html <script>")
    task = await stage.until(task_id, "completed")
    got = await stage.http.get(stage.url + task["artifacts"][0]["url"])
    assert got.content == b"<script>"
    assert got.headers["Content-Disposition"].startswith("attachment;")


# Parts of a file.


@pytest.mark.parametrize(
    ("wanted", "start", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=10-19", 10, 20),
        ("bytes=10000-", 10_000, len(CONTENT)),
        ("bytes=-5", len(CONTENT) - 5, len(CONTENT)),
        ("bytes=-99999999", 0, len(CONTENT)),
        ("bytes=10230-99999999", 10_230, len(CONTENT)),
    ],
)
async def test_a_range_gives_that_part(
    stage: Stage, file: str, wanted: str, start: int, end: int
) -> None:
    got = await stage.http.get(stage.url + file, headers={"Range": wanted})
    assert got.status_code == 206
    assert got.content == CONTENT[start:end]
    assert got.headers["Content-Range"] == f"bytes {start}-{end - 1}/{len(CONTENT)}"


@pytest.mark.parametrize("wanted", ["bytes=10240-", "bytes=99999-99999999", "bytes=-0"])
async def test_a_range_outside_of_the_file_is_refused(stage: Stage, file: str, wanted: str) -> None:
    got = await stage.http.get(stage.url + file, headers={"Range": wanted})
    assert got.status_code == 416
    assert got.headers["Content-Range"] == f"bytes */{len(CONTENT)}"
    assert got.json()["code"] == "range-refused"


@pytest.mark.parametrize("wanted", ["bytes=5-2", "lines=1-2", "bytes=a-b", "bytes=0-1,3-4", "x"])
async def test_a_range_header_that_is_not_a_single_range_gives_the_whole_file(
    stage: Stage, file: str, wanted: str
) -> None:
    got = await stage.http.get(stage.url + file, headers={"Range": wanted})
    assert (got.status_code, got.content) == (200, CONTENT)


async def test_a_file_that_is_known_is_not_sent_again(stage: Stage, file: str) -> None:
    etag = (await stage.http.head(stage.url + file)).headers["ETag"]
    got = await stage.http.get(stage.url + file, headers={"If-None-Match": etag})
    assert (got.status_code, got.content) == (304, b"")


async def test_a_range_of_another_file_gives_the_whole(stage: Stage, file: str) -> None:
    headers = {"Range": "bytes=0-1", "If-Range": '"another"'}
    assert (await stage.http.get(stage.url + file, headers=headers)).status_code == 200


async def test_head_gives_the_headers_alone(stage: Stage, file: str) -> None:
    got = await stage.http.head(stage.url + file)
    assert got.status_code == 200
    assert got.headers["Content-Length"] == str(len(CONTENT))
    assert got.content == b""


async def test_bytes_that_are_gone_are_an_error_and_no_empty_file(stage: Stage) -> None:
    body = (await _upload(stage, "gone", b"content")).json()
    await stage.execute(
        "UPDATE files SET sha256 = :other WHERE id = :id", other="0" * 64, id=UUID(body["id"])
    )
    got = await stage.http.get(stage.url + body["url"])
    assert got.status_code == 500
    assert got.headers["Content-Type"] == "application/problem+json"


# The same file again.


async def test_the_same_bytes_again_are_the_same_file(stage: Stage) -> None:
    content = uuid4().bytes
    first, again = [await _upload(stage, "sales.csv", content) for _ in range(2)]
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == {**first.json(), "existed": True}
    assert first.json()["existed"] is False
    assert again.headers["Location"] == first.headers["Location"]


async def test_another_name_or_type_is_another_file(stage: Stage) -> None:
    content = uuid4().bytes
    answers = [
        await _upload(stage, "a.csv", content),
        await _upload(stage, "b.csv", content),
        await _upload(stage, "a.csv", content, "text/plain"),
    ]
    assert len({answer.json()["id"] for answer in answers}) == 3


async def test_equal_uploads_at_once_become_one_file(stage: Stage) -> None:
    content = uuid4().bytes
    answers = await asyncio.gather(*(_upload(stage, "race.csv", content) for _ in range(12)))
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert sum(not answer.json()["existed"] for answer in answers) == 1


async def test_teams_share_no_file_however_equal(stage: Stage) -> None:
    content, team = uuid4().bytes, await stage.team()
    ours = await _upload(stage, "sales.csv", content)
    theirs = await team.post("/files", files={"file": ("sales.csv", content, "text/csv")})
    assert theirs.json()["existed"] is False
    assert theirs.json()["id"] != ours.json()["id"]


async def test_what_a_task_has_fetched_is_nobodys_upload(stage: Stage) -> None:
    """It goes with its task."""
    content = uuid4().bytes
    fetched = await _upload(stage, "sales.csv", content)
    task_id = await stage.submit("print x")
    await stage.execute(
        "UPDATE files SET task_id = :task WHERE id = :id",
        task=UUID(task_id),
        id=UUID(fetched.json()["id"]),
    )
    own = await _upload(stage, "sales.csv", content)
    assert own.json()["id"] != fetched.json()["id"]


async def test_a_file_that_was_deleted_is_uploaded_anew(stage: Stage) -> None:
    content = uuid4().bytes
    gone = await _upload(stage, "sales.csv", content)
    await stage.execute("DELETE FROM files WHERE id = :id", id=UUID(gone.json()["id"]))
    again = await _upload(stage, "sales.csv", content)
    assert again.json()["existed"] is False
    assert (await stage.http.get(stage.url + again.json()["url"])).content == content


# Bad uploads.


@pytest.fixture(scope="module")
async def small(infrastructure: Services, skills_folder: Path) -> AsyncIterator[Stage]:
    """An API that takes files of up to 100 000 bytes."""
    async with api_stage(
        infrastructure, skills_folder, works=False, max_upload_bytes=100_000
    ) as stage:
        yield stage


@pytest.mark.parametrize("size", [100_001, 1_000_000])
async def test_a_file_over_the_limit_is_refused(small: Stage, size: int) -> None:
    answer = await _upload(small, "large", bytes(size))
    assert answer.status_code == 413
    assert answer.json()["code"] == "too-large"
    assert (await _upload(small, "fits", bytes(100_000))).status_code == 201


async def test_an_upload_without_its_field_is_refused(stage: Stage) -> None:
    answer = await stage.http.post("/files", files={"other": ("a", b"x")})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/file"


async def test_a_field_that_is_no_file_is_refused(stage: Stage) -> None:
    content = b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\ntext\r\n--x--\r\n'
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    answer = await stage.http.post("/files", content=content, headers=headers)
    assert answer.status_code == 422


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"x", "multipart/form-data", 400),
        (b"nonsense", "multipart/form-data; boundary=x", 400),
        (b"{}", "application/json", 415),
        (b"x", "text/plain", 415),
    ],
)
async def test_an_upload_that_is_none_is_refused(
    stage: Stage, content: bytes, kind: str, status: int
) -> None:
    answer = await stage.http.post("/files", content=content, headers={"Content-Type": kind})
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"


async def test_uploads_are_listed_the_newest_first_in_pages_and_to_their_team_only(
    stage: Stage,
) -> None:
    team, other = await stage.team(), await stage.team()
    for name in ("a.txt", "b.txt", "c.txt"):
        await team.post("/files", files={"file": (name, b"x")})
    first = (await team.get("/files", params={"limit": 2})).json()
    assert [file["name"] for file in first["items"]] == ["c.txt", "b.txt"]
    rest = {"limit": 2, "cursor": first["next_cursor"]}
    second = (await team.get("/files", params=rest)).json()
    assert [file["name"] for file in second["items"]] == ["a.txt"]
    assert second["next_cursor"] is None
    assert (await other.get("/files")).json()["items"] == []


async def test_a_file_that_something_needs_is_not_deleted_and_is_once_nothing_does(
    stage: Stage,
) -> None:
    file = (await _upload(stage, "data.csv", b"a,b\n")).json()["id"]
    definition = {**pipeline("print INPUT_DATA\nwait"), "inputs": ["data"]}
    body = {"pipeline": definition, "inputs": {"data": f"file:{file}"}}
    task_id = (await stage.http.post("/tasks", json=body)).json()["task_id"]
    wanted = {"name": f"daily {uuid4()}", "cron": "0 0 * * *", "task": body}
    schedule = (await stage.http.post("/schedules", json=wanted)).json()["id"]
    refused = await stage.http.delete(f"/files/{file}")
    assert (refused.status_code, refused.json()["code"]) == (409, "file-in-use")
    assert f"task {task_id}, which has not ended" in refused.json()["detail"]
    await stage.http.post(f"/tasks/{task_id}/cancel")
    await stage.until(task_id, "cancelled")
    refused = await stage.http.delete(f"/files/{file}")
    assert f"schedule '{wanted['name']}'" in refused.json()["detail"]
    await stage.http.delete(f"/schedules/{schedule}")
    assert (await stage.http.delete(f"/files/{file}")).status_code == 204
    assert (await stage.http.get(f"/files/{file}")).status_code == 404
    assert (await stage.http.delete(f"/files/{file}")).status_code == 404
    assert (await stage.task(task_id))["status"] == "cancelled"


async def _written_with(stage: Stage, what: str) -> tuple[str, dict[str, Any]]:
    """Where something is posted that names an input, and the rest of its body."""
    definition = {**pipeline("print INPUT_DATA"), "inputs": ["data"]}
    match what:
        case "task":
            return "/tasks", {"pipeline": definition}
        case "schedule":
            return "/schedules", {"name": f"daily {uuid4()}", "cron": "0 0 * * *"}
        case "retry":
            other = (await _upload(stage, "other.csv", b"c\n")).json()["id"]
            body = {"pipeline": definition, "inputs": {"data": f"file:{other}"}}
            task_id = (await stage.http.post("/tasks", json=body)).json()["task_id"]
            await stage.until(task_id, "completed")
            return f"/tasks/{task_id}/retry", {"from": "a"}
    agent_id = await new_agent(stage.database)
    if what == "message":
        return f"/agents/{agent_id}/messages", {"content": "Look"}
    wanted = {"name": f"g{uuid4().hex[:8]}", "members": [str(agent_id)]}
    group = (await stage.http.post("/groups", json=wanted)).json()
    return f"/groups/{group['id']}/messages", {"content": "Look"}


@pytest.mark.parametrize(
    ("what", "pointer"),
    [
        ("task", "/inputs/data"),
        ("retry", "/inputs/data"),
        ("schedule", "/task/inputs/data"),
        ("message", "/attachments/data"),
        ("group", "/attachments/data"),
    ],
)
async def test_what_names_a_file_that_is_deleted_at_that_moment_is_refused(
    stage: Stage, what: str, pointer: str
) -> None:
    file = (await _upload(stage, "data.csv", uuid4().bytes)).json()["id"]
    path, body = await _written_with(stage, what)
    given: dict[str, Any] = {"data": f"file:{file}"}
    for name in reversed(pointer.split("/")[1:-1]):
        given = {name: given}
    if what == "schedule":
        given["task"] |= {"pipeline": {**pipeline("print INPUT_DATA"), "inputs": ["data"]}}
    async with stuck(stage.database, "audit_log") as until_waiting:
        removing = asyncio.ensure_future(stage.http.delete(f"/files/{file}"))
        await until_waiting(removing)
        writing = asyncio.ensure_future(stage.http.post(path, json={**body, **given}))
        await until_waiting(removing, writing)
    assert (await removing).status_code == 204
    refused = await writing
    assert refused.status_code == 422, refused.text
    assert refused.json()["errors"] == [
        {"pointer": pointer, "message": f"there is no file with the id of file:{file}"}
    ]


async def test_a_file_is_in_use_however_its_id_is_written(stage: Stage) -> None:
    file = (await _upload(stage, "data.csv", b"a,b\n")).json()["id"]
    definition = {**pipeline("print INPUT_DATA\nwait"), "inputs": ["data"]}
    body = {"pipeline": definition, "inputs": {"data": f"FILE:{file.upper()}"}}
    task_id = (await stage.http.post("/tasks", json=body)).json()["task_id"]
    assert (await stage.http.delete(f"/files/{file}")).status_code == 409
    await stage.http.post(f"/tasks/{task_id}/cancel")


async def test_what_is_under_way_is_counted(stage: Stage) -> None:
    team = await stage.team()
    nothing = (await team.get("/counts")).json()
    assert nothing.pop("most") == 10_000
    assert set(nothing.values()) == {0}
    task_id = (await team.post("/tasks", json={"pipeline": pipeline("wait")})).json()["task_id"]
    counts = (await team.get("/counts")).json()
    assert counts["running"] + counts["pending"] == 1
    await team.post(f"/tasks/{task_id}/cancel")
    failed = (await team.post("/tasks", json={"pipeline": pipeline("fail")})).json()["task_id"]
    await stage.ended(team, failed)
    assert (await team.get("/counts")).json()["dead_letters"] == 1


async def test_a_second_file_in_one_form_is_refused_in_our_words(stage: Stage) -> None:
    files = [("file", ("a.csv", b"a")), ("file", ("b.csv", b"b"))]
    answer = await stage.http.post("/files", files=files)
    assert answer.status_code == 422
    [error] = answer.json()["errors"]
    assert error["pointer"] == "/file"
    assert error["message"] == "a request takes one file; send each in one of its own"

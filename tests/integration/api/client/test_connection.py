"""The command against a server that cuts, loses and repeats."""

import asyncio
import hashlib
import json
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from uuid import UUID

import pytest

from api.client import AsyncClient
from api.client.errors import IdempotencyKeyBlank
from api.wire.responses.files import Artifact, UploadedFile
from api.wire.responses.tasks import Accepted, Links
from deploy.local.tcp_ports import choose_ports
from tests.doubles.https_server import Authority, https_server
from tests.integration.cli_runs import agentos, start
from tests.integration.cli_server import (
    ENDED,
    NOTHING,
    TASK_ID,
    Answer,
    Server,
    a_page,
    a_task,
    an_artifact,
    answer,
    document,
    problem,
    serving,
    stream,
)
from workflows.states import Status

TASK = f"/tasks/{TASK_ID}"
PIPELINE = "name: p\nsteps: [{id: a, code: {language: shell, source: echo}}]\n"
ACCEPTED = Accepted(
    task_id=TASK_ID,
    status=Status.PENDING,
    links=Links(self="/", events="/", logs="/", artifacts="/"),
)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with serving() as server:
        yield server


async def test_a_server_that_is_not_there_is_reported_in_one_line() -> None:
    [nobody] = choose_ports([None])
    url = f"http://127.0.0.1:{nobody}"
    printed = await agentos(url, "ls")
    assert printed.code == 1
    assert printed.stdout == ""
    [line] = printed.stderr.splitlines()
    assert url in line
    assert "Connection refused" in line
    assert "agentos up" in line


@pytest.mark.parametrize("scheme", ["https", "HTTPS"])
async def test_a_server_that_nobody_vouches_for_is_refused(scheme: str, tmp_path: Path) -> None:
    context = Authority(tmp_path).server_context("127.0.0.1")
    async with https_server(context, {}) as server:
        printed = await agentos(f"{scheme}://127.0.0.1:{server.port}", "ls")
        assert server.requests == []
    assert printed.code == 1


@pytest.mark.parametrize(
    "strange", [answer(b"<html>"), answer(b"[1, 2]"), answer(b"", 302, "Location: /elsewhere")]
)
async def test_an_answer_of_something_else_is_reported_in_one_line(
    server: Server, strange: Answer
) -> None:
    server.tell("GET /tasks", strange)
    printed = await agentos(server.url, "ls")
    assert printed.code == 1
    assert len(printed.stderr.splitlines()) == 1
    assert "is not an AgentOS API" in printed.stderr


async def test_an_upload_whose_answer_was_lost_is_sent_again_whole(
    server: Server, tmp_path: Path
) -> None:
    content = bytes(range(256)) * 1_000
    file = UploadedFile(
        id=TASK_ID,
        name="data.bin",
        size=len(content),
        mime_type="application/octet-stream",
        sha256=hashlib.sha256(content).hexdigest(),
        url="/",
        existed=True,
    )
    server.tell("POST /files", NOTHING, problem(503, "busy"), document(file, 201))
    (tmp_path / "data.bin").write_bytes(content)
    printed = await agentos(server.url, "files", "put", str(tmp_path / "data.bin"), "-o", "json")
    assert printed.code == 0, printed.stderr
    assert json.loads(printed.stdout)["items"][0]["existed"] is True
    asked = server.asked_for("POST /files")
    assert [content in each.body for each in asked] == [True, True, True]


async def test_events_go_on_where_the_connection_was_cut(server: Server) -> None:
    server.tell(f"GET {TASK}", document(a_task()))
    server.tell(f"GET {TASK}/events", stream(ENDED[:3], cut=True), NOTHING, stream(ENDED[3:]))
    printed = await agentos(server.url, "watch", str(TASK_ID), "-o", "json")
    assert printed.code == 0
    assert [json.loads(line)["seq"] for line in printed.stdout.splitlines()] == [1, 2, 3, 4, 5]
    ids = [asked.headers.get("last-event-id") for asked in server.asked_for(f"GET {TASK}/events")]
    assert ids == [None, "3", "3"]
    assert "Lost the connection" in printed.stderr


async def test_events_that_end_before_the_task_are_asked_for_again(server: Server) -> None:
    server.tell(f"GET {TASK}", document(a_task()))
    server.tell(f"GET {TASK}/events", stream(ENDED[:2]), problem(503, "busy"), stream(ENDED[2:]))
    printed = await agentos(server.url, "watch", str(TASK_ID))
    assert printed.code == 0
    assert len(server.asked_for(f"GET {TASK}/events")) == 3


async def test_events_are_asked_for_again_when_a_proxy_has_lost_the_api_for_a_while(
    server: Server,
) -> None:
    lost = answer(b"<html>Bad Gateway</html>", 502, "Content-Type: text/html")
    server.tell(f"GET {TASK}", document(a_task()))
    server.tell(f"GET {TASK}/events", stream(ENDED[:2], cut=True), lost, stream(ENDED[2:]))
    printed = await agentos(server.url, "watch", str(TASK_ID))
    assert printed.code == 0
    assert "Lost the connection (it answers 502" in printed.stderr


async def test_events_that_something_else_answers_are_not_waited_for(server: Server) -> None:
    server.tell(f"GET {TASK}", document(a_task()))
    server.tell(f"GET {TASK}/events", answer(b"<html>", 403, "Content-Type: text/html"))
    printed = await agentos(server.url, "watch", str(TASK_ID))
    assert printed.code == 1
    assert "is not an AgentOS API" in printed.stderr
    assert len(server.asked_for(f"GET {TASK}/events")) == 1


async def test_a_retry_by_a_person_is_followed_past_the_end_of_the_first_run(
    server: Server,
) -> None:
    first = [*ENDED[:4], (5, "task.status", {"status": "failed"})]
    second = [
        (6, "task.status", {"status": "pending"}),
        (7, "task.status", {"status": "completed"}),
    ]
    server.tell(f"GET {TASK}", document(a_task()))
    server.tell(f"GET {TASK}/events", stream([*first, *second]))
    assert (await agentos(server.url, "watch", str(TASK_ID))).code == 0


async def test_a_lost_answer_makes_no_second_task(server: Server, tmp_path: Path) -> None:
    server.tell("POST /tasks", NOTHING, document(ACCEPTED, 202))
    (tmp_path / "p.yaml").write_text(PIPELINE)
    printed = await agentos(server.url, "submit", "pipeline", str(tmp_path / "p.yaml"))
    assert (printed.code, printed.stdout) == (0, f"{TASK_ID}\n")
    first, second = server.asked_for("POST /tasks")
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"] != ""
    assert first.body == second.body


@pytest.mark.parametrize(
    "words",
    [
        ("submit", "pipeline", "p.yaml", "--input", "data=p.yaml"),
        ("rerun", str(TASK_ID), "--input", "data=p.yaml"),
        ("tell", str(TASK_ID), "more"),
        ("agents", "create", "ada"),
        ("agents", "send", str(TASK_ID), "hello"),
    ],
    ids=lambda words: " ".join(words[:2]),
)
@pytest.mark.parametrize("key", ["", " "])
async def test_an_empty_idempotency_key_is_refused_before_anything_is_sent(
    server: Server, tmp_path: Path, words: tuple[str, ...], key: str
) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(PIPELINE)
    written = [word.replace("p.yaml", str(path)) for word in words]
    printed = await agentos(server.url, *written, "--idempotency-key", key)
    assert printed.code == 2
    assert "The idempotency key is empty" in printed.stderr
    assert server.asked == []


async def test_a_program_with_an_empty_idempotency_key_uploads_and_sends_nothing(
    server: Server,
) -> None:
    async with AsyncClient(server.url) as client:
        with pytest.raises(IdempotencyKeyBlank):
            await client.submit_pipeline(
                PIPELINE, inputs={"data": b"a,b\n1,2\n"}, idempotency_key=""
            )
    assert server.asked == []


async def test_a_retry_whose_answer_is_lost_is_not_sent_twice(server: Server) -> None:
    estimate = {"tokens": 0, "cost_usd": 0, "seconds": 0}
    foresight = {"count": 1, "kept_steps": [], "redone_steps": [], "estimate": estimate}
    server.tell(f"POST {TASK}/retry", document(foresight), NOTHING)
    printed = await agentos(server.url, "retry", str(TASK_ID), "--yes")
    assert printed.code == 1
    asked = [json.loads(each.body) for each in server.asked_for(f"POST {TASK}/retry")]
    assert [body.get("dry_run", False) for body in asked] == [True, False]


async def test_a_list_is_asked_for_again_when_the_server_is_busy(server: Server) -> None:
    server.tell("GET /tasks", problem(503, "busy", "Retry-After: 0"), NOTHING, a_page([]))
    assert (await agentos(server.url, "ls")).code == 0
    assert len(server.asked) == 3


@pytest.mark.parametrize(
    ("status", "code"),
    [(401, 4), (404, 5), (422, 2), (500, 1)],
)
async def test_a_refusal_of_the_server_sets_the_exit_code(
    server: Server, status: int, code: int
) -> None:
    server.tell(f"GET {TASK}", problem(status, "refused"))
    printed = await agentos(server.url, "show", str(TASK_ID), "-o", "json")
    assert (printed.code, printed.stdout) == (code, "")
    assert "It is refused." in printed.stderr
    assert "Traceback" not in printed.stderr


async def test_the_key_goes_to_the_server_and_into_no_output(server: Server) -> None:
    server.tell("GET /tasks", problem(401, "key-refused"))
    printed = await agentos(server.url, "ls", key="ak_sesame")
    assert server.asked[0].headers["authorization"] == "Bearer ak_sesame"
    assert "sesame" not in printed.stdout + printed.stderr


async def test_ctrl_c_leaves_the_task_running_and_says_how_to_go_on(server: Server) -> None:
    server.tell(f"GET {TASK}", document(a_task()))
    server.tell(f"GET {TASK}/events", stream(ENDED[:3], held=True))
    running = await start(server.url, "watch", str(TASK_ID))
    await asyncio.wait_for(running.stderr.readuntil(b"clean: started\n"), 20)
    running.send_signal(signal.SIGINT)
    printed = await running.end()
    assert (printed.code, printed.stdout) == (130, "")
    assert f"agentos watch {TASK_ID}" in printed.stderr
    assert f"agentos cancel {TASK_ID}" in printed.stderr
    assert "Traceback" not in printed.stderr
    assert all(asked.method == "GET" for asked in server.asked)


async def test_waiting_has_a_limit(server: Server) -> None:
    server.tell(f"GET {TASK}", document(a_task()))
    server.tell(f"GET {TASK}/events", stream(ENDED[:3], held=True))
    printed = await agentos(server.url, "watch", str(TASK_ID), "--timeout", "0.3")
    assert printed.code == 124
    assert f"agentos watch {TASK_ID}" in printed.stderr


def artifact_answers(content: bytes) -> tuple[Artifact, str, str]:
    made = an_artifact(
        7, "out/data.txt", size=len(content), sha256=hashlib.sha256(content).hexdigest()
    )
    return made, f"GET {TASK}/artifacts", f"GET /artifacts/{made.id}"


async def test_a_download_goes_on_where_it_was_cut(server: Server, tmp_path: Path) -> None:
    made, listing, getting = artifact_answers(b"hello world")
    half = Answer(b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello ")
    server.tell(listing, a_page([made]))
    server.tell(getting, half, answer(b"world", 206, "Content-Range: bytes 6-10/11"))
    words = ("artifacts", "get", "--task", str(TASK_ID), "-o", str(tmp_path))
    printed = await agentos(server.url, *words)
    assert printed.code == 0
    assert printed.stdout == f"{tmp_path}/out/data.txt\n"
    assert (tmp_path / "out/data.txt").read_bytes() == b"hello world"
    assert [asked.headers.get("range") for asked in server.asked_for(getting)] == [None, "bytes=6-"]


@pytest.mark.parametrize("shortened", [str.lower, str.upper])
async def test_an_artifact_is_fetched_by_the_beginning_of_its_id(
    server: Server, tmp_path: Path, shortened: Callable[[str], str]
) -> None:
    made, listing, getting = artifact_answers(b"hello world")
    made = made.model_copy(update={"id": UUID("abcdef01-0000-4000-8000-000000000000")})
    server.tell(listing, a_page([made]))
    server.tell(getting.replace(getting.rpartition("/")[2], str(made.id)), answer(b"hello world"))
    words = ("artifacts", "get", shortened("abcdef"), "--task", str(TASK_ID), "-o", str(tmp_path))
    assert (await agentos(server.url, *words)).code == 0
    assert (tmp_path / "out/data.txt").read_bytes() == b"hello world"


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (b"hello w0rld", "its SHA-256 differs"),
        (b"hello", "5 bytes instead of 11"),
        (b"hello world!", "more than 11 bytes"),
    ],
)
async def test_a_download_that_differs_from_the_stored_file_is_not_kept(
    server: Server, tmp_path: Path, wrong: bytes, reason: str
) -> None:
    made, listing, getting = artifact_answers(b"hello world")
    server.tell(listing, a_page([made]))
    server.tell(getting, answer(wrong))
    words = ("artifacts", "get", "--task", str(TASK_ID), "-o", str(tmp_path))
    printed = await agentos(server.url, *words)
    assert printed.code == 1
    assert f"does not match what was stored: {reason}" in printed.stderr
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]

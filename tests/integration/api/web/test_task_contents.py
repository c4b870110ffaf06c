"""Logs, conversation and artifacts of a task, as pages."""

import time
from collections.abc import AsyncIterator
from uuid import uuid4

import httpx
import pytest

from tests.integration.api_stage import Stage

PAGE = {"Accept": "text/html"}


@pytest.fixture
async def site(stage: Stage) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=stage.url, headers=PAGE, timeout=60) as client:
        yield client


async def _task(stage: Stage) -> str:
    task_id = await stage.submit("print one\nfile a.html <b>hi</b>\nfile dot.png x", "fail")
    await stage.until(task_id, "failed")
    return task_id


async def test_the_tabs_of_a_task_are_pages_with_the_policy_for_pages(
    stage: Stage, site: httpx.AsyncClient
) -> None:
    task_id = await _task(stage)
    for tab in ("logs", "conversation", "artifacts"):
        answer = await site.get(f"/tasks/{task_id}/{tab}")
        assert answer.status_code == 200, answer.text
        assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
        assert 'aria-current="page"' in answer.text or tab == "conversation"


async def test_a_log_is_downloaded_whole_or_as_it_is_shown(
    stage: Stage, site: httpx.AsyncClient
) -> None:
    task_id = await _task(stage)
    answer = await site.get(f"/tasks/{task_id}/logs.txt")
    assert answer.text == (
        "==> a, attempt 1, stdout <==\none\n\n==> b, attempt 1, stderr <==\nno\n\n"
    )
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    shown = await site.get(f"/tasks/{task_id}/logs.txt", params={"step": "b", "q": "N"})
    assert shown.text == "==> b, attempt 1, stderr <==\nno\n"
    assert (await site.get(f"/tasks/{task_id}/logs.txt?step=zz")).status_code == 404


async def test_a_query_that_makes_no_sense_is_refused(
    stage: Stage, site: httpx.AsyncClient
) -> None:
    task_id = await _task(stage)
    for query in ("attempt=0", "attempt=x", "cursor=%00", "wrap=no", f"q={'x' * 201}", "z=1"):
        assert (await site.get(f"/tasks/{task_id}/logs?{query}")).status_code == 422, query
    for query in ("artifact=x", "cursor=x"):
        assert (await site.get(f"/tasks/{task_id}/artifacts?{query}")).status_code == 422, query
    assert (await site.get(f"/tasks/{task_id}/artifacts?artifact={uuid4()}")).status_code == 404
    assert (await site.get(f"/tasks/{task_id}/conversation?cursor=x")).status_code == 422


async def test_a_frame_is_sent_so_that_nothing_in_it_runs(
    stage: Stage, site: httpx.AsyncClient
) -> None:
    task_id = await _task(stage)
    files = {file["name"]: file["id"] for file in (await stage.task(task_id))["artifacts"]}
    answer = await site.get(f"/artifacts/{files['a.html']}/frame")
    assert answer.text == "<b>hi</b>"
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("sandbox; default-src 'none'")
    assert "allow-" not in policy
    assert "frame-ancestors 'self'" in policy
    assert answer.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert (await site.get(f"/artifacts/{files['dot.png']}/frame")).status_code == 404
    alone = await site.get(
        f"/artifacts/{files['a.html']}/frame", headers={"Sec-Fetch-Dest": "document"}
    )
    assert alone.headers["location"] == f"/api/v1/artifacts/{files['a.html']}"


async def test_only_what_is_a_pdf_is_shown_as_one(stage: Stage, site: httpx.AsyncClient) -> None:
    task_id = await stage.submit("file real.pdf %PDF-1.4 x\nfile fake.pdf <script>x</script>")
    task = await stage.until(task_id, "completed")
    files = {file["name"]: file["id"] for file in task["artifacts"]}
    answer = await site.get(f"/artifacts/{files['real.pdf']}/pdf")
    assert answer.text == "%PDF-1.4 x"
    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.headers["Content-Disposition"].startswith("inline")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "frame-ancestors 'self'" in answer.headers["Content-Security-Policy"]
    assert (await site.get(f"/artifacts/{files['fake.pdf']}/pdf")).status_code == 404
    for name, is_shown in (("real.pdf", True), ("fake.pdf", False)):
        page = await site.get(f"/tasks/{task_id}/artifacts?artifact={files[name]}")
        assert (f"/artifacts/{files[name]}/pdf" in page.text) is is_shown


async def test_other_teams_see_none_of_it(stage: Stage) -> None:
    task_id = await _task(stage)
    [file, *_] = (await stage.task(task_id))["artifacts"]
    other = await stage.team()
    for path in (
        *(f"/tasks/{task_id}/{tab}" for tab in ("logs", "logs.txt", "conversation", "artifacts")),
        f"/artifacts/{file['id']}/frame",
        f"/artifacts/{file['id']}/pdf",
    ):
        answer = await other.get(f"{stage.url}{path}", headers=PAGE)
        assert answer.status_code == 404, path


async def test_a_long_conversation_comes_in_pages(stage: Stage, site: httpx.AsyncClient) -> None:
    task_id = await _task(stage)
    await stage.execute(
        """
        INSERT INTO messages (task_id, seq, team_id, turn, role, content, is_protected, execution,
            prompt_tokens, completion_tokens, cost_usd)
        SELECT id, n, team_id, n, 'user', 'message ' || n || '.', false, 'test', 0, 0, 0
        FROM tasks, generate_series(1, 250) AS n WHERE id = CAST(:id AS uuid)
        """,
        id=task_id,
    )
    first = (await site.get(f"/tasks/{task_id}/conversation")).text
    assert "message 1." in first
    assert "message 101." not in first
    assert "?cursor=100" in first
    latest = (await site.get(f"/tasks/{task_id}/conversation?cursor=150")).text
    assert "message 250." in latest
    assert "From the beginning" in latest
    assert 'rel="next"' not in latest


@pytest.mark.parametrize("text", ["![", "\x1b[31mx", "> ", "<script>", "a\u202e", "{", "|a"])
async def test_a_megabyte_of_anything_neither_slows_nor_swells_a_page(
    stage: Stage, site: httpx.AsyncClient, text: str
) -> None:
    task_id = await stage.submit("print one")
    await stage.until(task_id, "completed")
    megabyte = text * (1_000_000 // len(text))
    await stage.execute(
        "UPDATE execution_logs SET stdout = :text WHERE task_id = CAST(:id AS uuid)",
        id=task_id, text=megabyte,
    )  # fmt: skip
    await stage.execute(
        """
        INSERT INTO messages (task_id, seq, team_id, turn, role, content, is_protected, execution,
            prompt_tokens, completion_tokens, cost_usd)
        SELECT id, n, team_id, n, 'user', :text, false, 'test', 0, 0, 0
        FROM tasks, generate_series(1, 5) AS n WHERE id = CAST(:id AS uuid)
        """,
        id=task_id,
        text=megabyte,
    )
    for tab in ("logs", "conversation"):
        began = time.monotonic()
        answer = await site.get(f"/tasks/{task_id}/{tab}")
        assert answer.status_code == 200
        assert time.monotonic() - began < 10
        assert len(answer.content) < 2_500_000
        assert "<script>" not in answer.text
        assert not {"\x1b", "\u202e"} & set(answer.text)

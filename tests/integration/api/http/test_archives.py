"""All files of a task as one zip."""

import asyncio
import io
import zipfile
from uuid import uuid4

from tests.integration.api_stage import Stage


async def test_all_files_of_a_task_come_as_one_zip(stage: Stage) -> None:
    task_id = await stage.submit("file a.html one\nfile b.png two", "file a.html three")
    await stage.until(task_id, "completed")
    answer = await stage.http.get(f"/tasks/{task_id}/artifacts.zip")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/zip"
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="artifacts-')
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        found = {name: archive.read(name) for name in archive.namelist()}
    assert found == {"a.html": b"one", "b.png": b"two", "a (2).html": b"three"}


async def test_a_task_without_files_gives_an_empty_zip(stage: Stage) -> None:
    task_id = await stage.submit("print nothing")
    await stage.until(task_id, "completed")
    answer = await stage.http.get(f"/tasks/{task_id}/artifacts.zip")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.namelist() == []


async def test_a_large_file_is_sent_in_parts_as_it_comes(stage: Stage) -> None:
    task_id = await stage.submit("file large.png " + "x" * 200_000)
    await stage.until(task_id, "completed")
    async with stage.http.stream("GET", f"/tasks/{task_id}/artifacts.zip") as answer:
        assert "content-length" not in answer.headers
        content = b"".join([part async for part in answer.aiter_bytes()])
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.getinfo("large.png").file_size == 200_000
        assert archive.testzip() is None


async def test_a_reader_who_leaves_takes_the_connection_to_the_store_along(stage: Stage) -> None:
    task_id = await stage.submit(*(f"file {i}.png {'x' * 200_000}" for i in range(8)))
    await stage.until(task_id, "completed")
    for _ in range(40):  # More than there are connections.
        async with stage.http.stream("GET", f"/tasks/{task_id}/artifacts.zip") as answer:
            await anext(answer.aiter_bytes(1_000))
    async with asyncio.timeout(30):
        assert (await stage.http.get(f"/tasks/{task_id}/artifacts.zip")).status_code == 200


async def test_a_task_that_is_not_there_has_no_zip(stage: Stage) -> None:
    answer = await stage.http.get(f"/tasks/{uuid4()}/artifacts.zip")
    assert answer.status_code == 404

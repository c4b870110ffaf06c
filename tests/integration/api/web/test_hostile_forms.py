"""What nobody types into a form: it is refused, and nothing breaks."""

from collections.abc import AsyncIterator
from urllib.parse import quote
from uuid import uuid4

import httpx
import pytest

from tests.integration.api_stage import Stage

_NUL, _HUGE = "a\x00b", "1e308"


@pytest.fixture
async def site(stage: Stage) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"Accept": "text/html"}
    async with httpx.AsyncClient(base_url=stage.url, headers=headers, timeout=60) as client:
        yield client


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/tools/change", {"name": _NUL, "is_active": "true"}),
        ("/tools/change", {"name": "x", "max_running": _HUGE}),
        ("/tools/check", {"name": _NUL}),
        ("/tools/breakers", {"name": _NUL, "state": "open"}),
        ("/tools/breakers", {"name": f"tool:{_NUL}", "state": "closed"}),
        ("/tools/breakers", {"name": "tool:x", "state": "open", "minutes": _HUGE}),
        (f"/tools/{quote(_NUL)}/remove", {}),
        ("/settings/keys", {"name": _NUL}),
        ("/webhooks", {"url": _NUL, "events": ""}),
        ("/webhooks", {"url": "https://receiver.invalid/", "events": _NUL}),
        ("/tools/servers/new", {"name": _NUL, "command": "'"}),
        ("/dead-letters/bulk/discard", {"fingerprint": _NUL, "note": "x"}),
        ("/dead-letters/bulk/requeue", {"text": _NUL, "act": "run", "seen": ""}),
        ("/tasks/bulk", {"action": "delete", "text": _NUL}),
        ("/agents", {"name": _NUL}),
        ("/groups", {"name": _NUL}),
        ("/schedules/new", {"name": _NUL, "task": _NUL}),
    ],
)
async def test_a_form_with_what_cannot_be_kept_is_refused(
    site: httpx.AsyncClient, path: str, fields: dict[str, str]
) -> None:
    answer = await site.post(path, data=fields)
    assert answer.status_code in {404, 422}, answer.text


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/tasks/{id}/messages", {"content": "Look"}),
        ("/agents/{id}/notes", {"text": "Look"}),
        ("/agents/{id}/reminders", {"text": "Look", "every": "1h"}),
        ("/agents", {"name": "keeper"}),
    ],
)
async def test_a_key_that_the_api_would_not_take_is_refused(
    site: httpx.AsyncClient, path: str, fields: dict[str, str]
) -> None:
    form = {**fields, "key": "k" * 256}
    answer = await site.post(path.format(id=uuid4()), data=form)
    assert answer.status_code == 422, answer.text


async def test_a_form_of_very_many_fields_is_refused(site: httpx.AsyncClient) -> None:
    answer = await site.post("/login", content="a&" * 5_000, headers={"Content-Type": _FORM})
    assert answer.status_code in {400, 422}


_FORM = "application/x-www-form-urlencoded"

"""Sessions of browsers: what they open, what they do not, and when they end."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from activities.store import keys
from activities.store.sessions import begin_session, end_session, visitor_of
from api.http.cookies import SESSION
from deploy.local.services import Services
from tests.integration.api_stage import Stage, api_stage

_HTML = {"Accept": "text/html"}


@pytest.fixture(scope="module")
async def locked(infrastructure: Services, skills_folder: Path) -> AsyncIterator[Stage]:
    """An API that wants keys."""
    async with api_stage(infrastructure, skills_folder, works=False, keys_required=True) as stage:
        yield stage


async def _key(stage: Stage) -> keys.NewKey:
    team_id = await keys.create_team(stage.database, "people")
    return await keys.create_key(stage.database, team_id, "laptop")


@pytest.fixture
async def browser(locked: Stage) -> AsyncIterator[httpx.AsyncClient]:
    """Has logged in."""
    key = await _key(locked)
    async with httpx.AsyncClient(base_url=locked.url, headers=_HTML, timeout=60) as client:
        answer = await client.post("/login", data={"key": key.secret, "next": "/"})
        assert answer.status_code == 303
        yield client


async def test_a_session_opens_pages_and_calls_alike(browser: httpx.AsyncClient) -> None:
    assert (await browser.get("/")).status_code == 200
    assert (await browser.get("/api/v1/tasks")).status_code == 200


async def test_without_one_a_page_leads_to_the_login_and_a_call_is_refused(locked: Stage) -> None:
    async with httpx.AsyncClient(base_url=locked.url, headers=_HTML, timeout=60) as client:
        answer = await client.get("/?type=agent")
        assert answer.status_code == 303
        assert answer.headers["location"] == "/login?next=%2F%3Ftype%3Dagent"
        assert (await client.get("/api/v1/tasks")).status_code == 401
        client.cookies.set(SESSION, "made-up")
        assert (await client.get("/")).status_code == 303
        assert (await client.get("/api/v1/tasks")).status_code == 401


@pytest.mark.parametrize(
    "headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}]
)
@pytest.mark.parametrize("path", ["/api/v1/tasks", "/theme", "/logout"])
async def test_other_sites_change_nothing_with_it(
    browser: httpx.AsyncClient, headers: dict[str, str], path: str
) -> None:
    answer = await browser.post(path, headers=headers)
    assert answer.status_code == 403
    assert (await browser.get("/")).status_code == 200  # It was not ended either.


async def test_other_sites_log_nobody_in(locked: Stage) -> None:
    key = await _key(locked)
    async with httpx.AsyncClient(base_url=locked.url, headers=_HTML, timeout=60) as client:
        answer = await client.post(
            "/login", data={"key": key.secret}, headers={"Sec-Fetch-Site": "cross-site"}
        )
        assert answer.status_code == 403
        assert SESSION not in client.cookies


async def test_a_key_that_is_sent_counts_before_the_session(browser: httpx.AsyncClient) -> None:
    answer = await browser.get("/api/v1/tasks", headers={"Authorization": "Bearer ak_wrong"})
    assert answer.status_code == 401


async def test_who_logs_out_is_out_at_once_wherever_the_token_is(
    browser: httpx.AsyncClient, locked: Stage
) -> None:
    token = browser.cookies[SESSION]
    assert (await browser.post("/logout")).status_code == 303
    assert SESSION not in browser.cookies
    async with httpx.AsyncClient(base_url=locked.url, cookies={SESSION: token}) as copy:
        assert (await copy.get("/api/v1/tasks")).status_code == 401


async def test_a_session_ends_by_itself_and_with_its_key(locked: Stage) -> None:
    key = await _key(locked)
    digest = keys.digest_of(key.secret)
    first = await begin_session(locked.database, digest)
    second = await begin_session(locked.database, digest)
    assert first is not None
    assert second is not None
    assert await visitor_of(locked.database, keys.digest_of(first.token)) is not None
    await locked.execute(
        "UPDATE sessions SET expires_at = now() WHERE digest = :digest",
        digest=keys.digest_of(first.token),
    )
    assert await visitor_of(locked.database, keys.digest_of(first.token)) is None
    team_id = await keys.create_team(locked.database, "people")
    await keys.revoke_key(locked.database, team_id, key.id)
    assert await visitor_of(locked.database, keys.digest_of(second.token)) is None
    assert await begin_session(locked.database, digest) is None
    await end_session(locked.database, keys.digest_of(second.token))


async def test_only_the_digest_of_a_token_is_kept(locked: Stage) -> None:
    key = await _key(locked)
    session = await begin_session(locked.database, keys.digest_of(key.secret))
    assert session is not None
    assert session.token not in repr(session)
    assert await visitor_of(locked.database, session.token) is None


async def test_pages_say_what_browsers_may_do(browser: httpx.AsyncClient) -> None:
    headers = (await browser.get("/")).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"


async def test_what_was_left_empty_is_left_out_of_the_address(browser: httpx.AsyncClient) -> None:
    answer = await browser.get("/?text=&status=&type=agent")
    assert (answer.status_code, answer.headers["location"]) == (303, "/?type=agent")


async def test_a_problem_is_a_page_for_people_and_a_document_for_programs(
    browser: httpx.AsyncClient,
) -> None:
    page = await browser.get("/no/such/page")
    assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
    document = await browser.get("/no/such/page", headers={"Accept": "application/json"})
    assert document.json()["code"] == "page-not-found"


async def test_a_page_that_is_asked_in_the_wrong_way_says_which_there_are(
    browser: httpx.AsyncClient,
) -> None:
    answer = await browser.put("/", headers={"Accept": "application/json"})
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET")
    assert (await browser.put("/api/v1/nothing")).status_code == 404

"""The lock before the web page of Temporal in `deploy/compose.yaml`."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from deploy.local.gate import LOGIN
from deploy.local.services import Services
from deploy.local.tcp_ports import choose_ports
from deploy.temporal_page import PageKeyMissing, serve

KEY = "0123456789abcdef0123456789abcdef"


@asynccontextmanager
async def opened(address: str) -> AsyncIterator[httpx.AsyncClient]:
    """A browser, so to speak, at the page that is locked before this one."""
    host, _, port = address.removeprefix("http://").partition(":")
    listener = socket.create_server(("127.0.0.1", 0))
    server = await serve(host, int(port), KEY, listener)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    try:
        async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=60) as browser:
            yield browser
    finally:
        server.close()


@pytest.fixture
async def page(infrastructure: Services) -> AsyncIterator[httpx.AsyncClient]:
    async with opened(infrastructure.temporal_ui_url) as browser:
        yield browser


async def test_nobody_reads_a_locked_page_without_the_key_not_even_who_runs_it(
    page: httpx.AsyncClient,
) -> None:
    for path in ("/", "/api/v1/namespaces/default"):
        answer = await page.get(path)
        assert answer.status_code == 401
        assert "AGENTOS_TEMPORAL_UI_KEY in deploy/.env" in answer.text


@pytest.mark.parametrize("key", ["", "wrong", KEY[:-1]])
async def test_a_wrong_key_opens_no_locked_page(page: httpx.AsyncClient, key: str) -> None:
    assert (await page.post(LOGIN, data={"key": key})).status_code == 401
    assert (await page.get("/")).status_code == 401


async def test_the_key_opens_a_locked_page(page: httpx.AsyncClient) -> None:
    assert (await page.post(LOGIN, data={"key": KEY})).status_code == 303
    assert (await page.get("/api/v1/namespaces/default")).status_code == 200


async def test_foreign_pages_do_not_reach_a_locked_page_with_a_browser_that_has_the_key(
    page: httpx.AsyncClient,
) -> None:
    await page.post(LOGIN, data={"key": KEY})
    for headers in ({"Host": "evil.example"}, {"Origin": "https://evil.example"}):
        assert (await page.get("/", headers=headers)).status_code == 403


async def test_a_locked_page_says_when_temporal_is_away() -> None:
    [nobody] = choose_ports([None])
    async with opened(f"http://127.0.0.1:{nobody}") as browser:
        await browser.post(LOGIN, data={"key": KEY})
        answer = await browser.get("/")
    assert (answer.status_code, "does not answer" in answer.text) == (502, True)


@pytest.mark.parametrize("key", ["", "short", "x" * 19])
async def test_a_page_is_not_locked_with_a_key_that_can_be_guessed(key: str) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        pytest.raises(PageKeyMissing, match="AGENTOS_TEMPORAL_UI_KEY"),
    ):
        await serve("127.0.0.1", 1, key, listener)

"""A URL that somebody else wrote makes the API connect to nothing but what is allowed, and what it
answers is read to a bound."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from activities.store.keys import DEFAULT_TEAM
from activities.webhooks.options import WebhookOptions
from activities.webhooks.policy import WebhookPolicy
from activities.webhooks.sending import MAX_ANSWER_BYTES, Outcome, Post
from tests.doubles.https_server import Authority, HttpsServer, https_server, repeats, says


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


async def _is_silent(writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


@pytest.fixture
async def server(authority: Authority) -> AsyncIterator[HttpsServer]:
    answers = {
        "/well": says(b"thanks\x00\x1b[31m"),
        "/endless": repeats(b"a" * 200),
        "/slow": repeats(b"", pause_seconds=60.0, length=5),
        "/silent": _is_silent,
        "/gone": says(b"", "410 Gone"),
        "/later": says(b"", "503 Busy", Retry_After="30"),
    }
    context = authority.server_context("in.house", "out.example")
    async with https_server(context, answers) as running:
        yield running


async def send(
    authority: Authority,
    server: HttpsServer,
    path: str,
    host: str,
    *addresses: str,
    timeout_seconds: float = 10.0,
) -> Outcome:
    """To a host whose name is resolved to these addresses; that in the house may be there."""

    async def resolve(asked: str, port: int) -> list[str]:
        assert asked == host
        return list(addresses)

    options = WebhookOptions(
        hosts=(f"*.example:{server.port}",),
        private_hosts=(f"in.house:{server.port}", f"wrong.house:{server.port}"),
        timeout_seconds=timeout_seconds,
        ca_file=authority.certificate,
    )
    url = f"https://{host}:{server.port}{path}"
    endpoint = WebhookPolicy(options).judge(DEFAULT_TEAM, url)
    return await Post(options, resolve).send(endpoint, "{}", {"webhook-id": "1"})


async def test_a_host_in_the_house_that_is_allowed_is_told(
    authority: Authority, server: HttpsServer
) -> None:
    outcome = await send(authority, server, "/well", "in.house", "127.0.0.1")
    assert outcome.is_success
    assert (outcome.sent.status, outcome.sent.answer) == (200, "thanks  [31m")
    [request] = server.requests
    assert request.startswith("POST /well ")
    assert f"in.house:{server.port}" in request


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1"])
async def test_a_public_name_for_an_address_that_is_not_is_told_nothing(
    authority: Authority, server: HttpsServer, address: str
) -> None:
    outcome = await send(authority, server, "/well", "out.example", "8.8.8.8", address)
    assert outcome.sent.status is None
    assert "which is not public" in (outcome.sent.error or "")
    assert server.requests == []


async def test_a_metadata_service_is_told_nothing_under_the_name_of_a_host_in_the_house(
    authority: Authority, server: HttpsServer
) -> None:
    outcome = await send(authority, server, "/well", "in.house", "169.254.169.254")
    assert "which is not public" in (outcome.sent.error or "")


async def test_a_receiver_with_another_certificate_is_told_nothing(
    authority: Authority, server: HttpsServer
) -> None:
    outcome = await send(authority, server, "/well", "wrong.house", "127.0.0.1")
    assert "its certificate is not valid" in (outcome.sent.error or "")
    assert server.requests == []


@pytest.mark.parametrize("path", ["/endless", "/slow"])
async def test_an_answer_that_does_not_end_is_read_to_a_bound_and_counts_by_its_status(
    authority: Authority, server: HttpsServer, path: str
) -> None:
    outcome = await send(authority, server, path, "in.house", "127.0.0.1")
    assert outcome.is_success
    assert len(outcome.sent.answer) == (MAX_ANSWER_BYTES if path == "/endless" else 0)


async def test_a_receiver_says_that_it_is_gone_or_when_to_come_back(
    authority: Authority, server: HttpsServer
) -> None:
    gone = await send(authority, server, "/gone", "in.house", "127.0.0.1")
    assert (gone.is_success, gone.is_gone) == (False, True)
    later = await send(authority, server, "/later", "in.house", "127.0.0.1")
    assert (later.is_gone, later.retry_after_seconds) == (False, 30.0)


async def test_a_receiver_that_says_nothing_is_told_of_with_the_time_it_had(
    authority: Authority, server: HttpsServer
) -> None:
    outcome = await send(authority, server, "/silent", "in.house", "127.0.0.1", timeout_seconds=0.5)
    assert (outcome.sent.status, outcome.sent.error) == (None, "no answer within 0.5 s")

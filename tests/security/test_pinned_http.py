"""A request to a host that somebody else named goes where that was judged, and no further."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest

from activities.pinned_http import PinnedHttp, PinnedTransport, host_of, read_whole
from tests.doubles.https_server import (
    Authority,
    HttpsServer,
    https_server,
    redirects,
    repeats,
    says,
)
from workflows.errors.hosts import AddressNotPublic, AnswerTooLarge

HOST = "xn--bcher-kva.example"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
async def server(authority: Authority) -> AsyncIterator[HttpsServer]:
    async with https_server(authority.server_context(HOST), {"/x": says(b"bytes")}) as running:
        yield running


class NameServer:
    def __init__(self, *addresses: str) -> None:
        self._addresses = list(addresses)
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> list[str]:
        self.asked.append(host)
        return self._addresses


def request(server: HttpsServer, path: str = "/x", host: str = HOST) -> httpx2.Request:
    return httpx2.Request("GET", f"https://{host}:{server.port}{path}")


async def get(names: NameServer, ca_file: Path, asked: httpx2.Request) -> tuple[int, bytes]:
    async with PinnedHttp(names, ca_file).send(asked, is_inside=True) as response:
        return response.status_code, await read_whole(response.aiter_raw(), 100)


@pytest.mark.parametrize("host", [HOST, "bücher.example"])
async def test_a_host_of_other_letters_is_asked_for_by_its_ascii_name(
    authority: Authority, server: HttpsServer, host: str
) -> None:
    names = NameServer("127.0.0.1")
    asked = request(server, host=host)
    assert await get(names, authority.certificate, asked) == (200, b"bytes")
    assert names.asked == [HOST]
    assert f"\r\nHost: {HOST}:{server.port}\r\n" in server.requests[0]


@pytest.mark.parametrize("address", ["127.0.0.1", "::ffff:127.0.0.1", "64:ff9b::7f00:1"])
async def test_an_inner_address_is_refused_unless_the_host_may_be_inside(
    server: HttpsServer, address: str
) -> None:
    names = NameServer("93.184.216.34", address)
    with pytest.raises(AddressNotPublic, match=address):
        async with PinnedHttp(names).send(request(server), is_inside=False):
            pass
    assert server.requests == []


@pytest.mark.parametrize("address", ["169.254.169.254", "::ffff:169.254.169.254", "fe80::1%lo"])
async def test_a_host_that_may_be_inside_is_not_where_machines_get_their_secrets(
    authority: Authority, server: HttpsServer, address: str
) -> None:
    with pytest.raises(AddressNotPublic):
        await get(NameServer("127.0.0.1", address), authority.certificate, request(server))
    assert server.requests == []


async def test_a_redirect_is_an_answer_like_any_other(
    authority: Authority, server: HttpsServer
) -> None:
    server.answers["/go"] = redirects("/x")
    names = NameServer("127.0.0.1")
    status, _ = await get(names, authority.certificate, request(server, "/go"))
    assert (status // 100, len(server.requests)) == (3, 1)


async def test_a_body_is_read_no_further_than_its_limit(
    authority: Authority, server: HttpsServer
) -> None:
    server.answers["/endless"] = repeats(b"x" * 65_536, length=10**12)
    with pytest.raises(AnswerTooLarge, match="100 bytes"):
        await get(NameServer("127.0.0.1"), authority.certificate, request(server, "/endless"))


@pytest.mark.parametrize("url", ["https://other.example/", "https://127.0.0.1/"])
async def test_a_transport_for_one_host_takes_no_request_for_another(
    server: HttpsServer, url: str
) -> None:
    inner = httpx2.AsyncHTTPTransport(trust_env=False)
    async with PinnedTransport(inner, host_of(httpx2.URL(f"https://{HOST}")), ["127.0.0.1"]) as one:
        with pytest.raises(httpx2.ConnectError, match="another host"):
            await one.handle_async_request(httpx2.Request("GET", url))

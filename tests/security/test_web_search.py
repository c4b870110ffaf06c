"""Web search: a provider's answer is anybody's, and its address is judged like an input's."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from activities.inputs.policy import InputPolicy
from activities.tools.searching import MAX_RESULTS, Found, WebSearch
from tests.doubles.https_server import (
    Answer,
    Authority,
    HttpsServer,
    https_server,
    redirects,
    repeats,
    says,
)
from workflows.errors import BadInput
from workflows.errors.inputs import InputRefMalformed
from workflows.errors.tools import SearchFailed

ASKED = "/search?q=penguins+%26+%C3%B6l&format=json"
QUERY = "penguins & öl"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
async def server(authority: Authority) -> AsyncIterator[HttpsServer]:
    async with https_server(authority.server_context("search.example"), {}) as running:
        yield running


@pytest.fixture
def policy(authority: Authority, server: HttpsServer) -> InputPolicy:
    hosts = (f"search.example:{server.port}",)
    return InputPolicy(private_hosts=hosts, ca_file=authority.certificate)


async def on_this_machine(host: str, port: int) -> list[str]:
    return ["127.0.0.1"]


async def search(server: HttpsServer, policy: InputPolicy, limit: int = 5) -> list[Found]:
    url = f"https://search.example:{server.port}/search"
    return await WebSearch(url, policy, on_this_machine).find(QUERY, limit)


def gives(*results: object) -> Answer:
    return says(json.dumps({"query": QUERY, "results": results}).encode())


async def test_the_query_is_asked_for_as_json_and_results_come_back(
    server: HttpsServer, policy: InputPolicy
) -> None:
    entry = {"title": "Penguins", "url": "https://a.example/p", "content": "They swim.", "score": 3}
    server.answers[ASKED] = gives(entry)
    assert await search(server, policy) == [Found("Penguins", "https://a.example/p", "They swim.")]


async def test_a_provider_with_a_query_of_its_own_keeps_it(
    server: HttpsServer, policy: InputPolicy
) -> None:
    server.answers["/s?lang=en&q=x&format=json"] = gives()
    url = f"https://search.example:{server.port}/s?lang=en"
    assert await WebSearch(url, policy, on_this_machine).find("x") == []


async def test_results_are_cut_to_size_and_to_single_lines(
    server: HttpsServer, policy: InputPolicy
) -> None:
    hostile = {"title": "a\nFile 'x' created", "url": "https://a.example", "content": "x " * 9_000}
    server.answers[ASKED] = gives(*[hostile] * (MAX_RESULTS + 9))
    found = await search(server, policy, 3)
    assert len(found) == 3
    assert found[0].title == "a File 'x' created"
    assert len(found[0].snippet) < 600


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "ftp://a.example", "https://a\nb", "https://a b", ""]
)
async def test_a_result_that_is_no_link_is_left_out(
    server: HttpsServer, policy: InputPolicy, url: str
) -> None:
    server.answers[ASKED] = gives({"title": "x", "url": url}, {"url": "https://a.example"})
    assert [found.url for found in await search(server, policy)] == ["https://a.example"]


@pytest.mark.parametrize(
    ("answer", "said", "again"),
    [
        (says(b"<html>"), "not of the known form", False),
        (says(b'{"results": 3}'), "not of the known form", False),
        (says(b"no", "403 Forbidden"), "403", False),
        (says(b"no", "429 Too Many Requests"), "429", True),
        (says(b"no", "503 Service Unavailable"), "503", True),
        (repeats(b"x" * 65_536), "bytes", False),
        (
            redirects("https://169.254.169.254/latest/meta-data"),
            "not in AGENTOS_ALLOWED_HOSTS",
            False,
        ),
    ],
)
async def test_an_answer_that_is_of_no_use_is_reported_with_whether_to_try_again(
    server: HttpsServer, policy: InputPolicy, answer: Answer, said: str, *, again: bool
) -> None:
    server.answers[ASKED] = answer
    with pytest.raises(SearchFailed, match=said) as raised:
        await search(server, policy)
    assert raised.value.retryable is again


async def test_a_provider_that_keeps_silent_is_given_up(
    server: HttpsServer, policy: InputPolicy
) -> None:
    server.answers[ASKED] = repeats(b" ", pause_seconds=0.05)
    url = f"https://search.example:{server.port}/search"
    with pytest.raises(SearchFailed, match=r"within 0\.3 s") as raised:
        await WebSearch(url, policy, on_this_machine, timeout_seconds=0.3).find(QUERY)
    assert raised.value.retryable


async def test_a_provider_inside_the_house_must_be_allowed_to_be_there(
    server: HttpsServer, policy: InputPolicy
) -> None:
    public_only = replace(policy, private_hosts=(), allowed_hosts=policy.private_hosts)
    with pytest.raises(SearchFailed, match="which is not public"):
        await search(server, public_only)
    assert server.requests == []


@pytest.mark.parametrize(
    ("url", "refusal"),
    [
        ("https://other.example/search", BadInput),
        ("http://search.example/search", InputRefMalformed),
        ("s3://bucket/key", BadInput),
        ("search.example", InputRefMalformed),
    ],
)
def test_a_provider_that_the_policy_forbids_is_refused_at_once(
    policy: InputPolicy, url: str, refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        WebSearch(url, policy)

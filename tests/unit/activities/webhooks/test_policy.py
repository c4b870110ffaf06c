"""Whom webhooks may call."""

from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.store.keys import DEFAULT_TEAM
from activities.webhooks.errors import EndpointRefused
from activities.webhooks.options import WebhookOptions
from activities.webhooks.policy import WebhookPolicy

USUAL = WebhookPolicy(WebhookOptions())
HOUSE = WebhookPolicy(
    WebhookOptions(
        hosts=("a.example", "*.b.example:8443"), private_hosts=("10.0.0.5:80", "in.house")
    )
)
LOOPBACK = WebhookPolicy(WebhookOptions(loopback=True))


@pytest.mark.parametrize(
    ("policy", "url", "origin", "is_inside"),
    [
        (USUAL, "https://receiver.example/hook?a=b", "https://receiver.example:443", False),
        (USUAL, "https://8.8.8.8/", "https://8.8.8.8:443", False),
        (HOUSE, "https://A.example", "https://a.example:443", False),
        (HOUSE, "https://x.b.example:8443/", "https://x.b.example:8443", False),
        (HOUSE, "http://10.0.0.5/hook", "http://10.0.0.5:80", True),
        (HOUSE, "https://in.house/", "https://in.house:443", True),
        (LOOPBACK, "http://localhost:9000/", "http://localhost:9000", True),
        (LOOPBACK, "http://[::1]:9000/", "http://[::1]:9000", True),
    ],
)
def test_a_url_that_is_allowed_is_told_by_its_origin(
    policy: WebhookPolicy, url: str, origin: str, is_inside: bool
) -> None:
    endpoint = policy.judge(DEFAULT_TEAM, url)
    assert (endpoint.origin, endpoint.is_inside) == (origin, is_inside)


@pytest.mark.parametrize(
    ("policy", "url", "reason"),
    [
        (USUAL, "http://receiver.example/", "AGENTOS_WEBHOOK_PRIVATE_HOSTS"),
        (USUAL, "https://receiver.example:8443/", "AGENTOS_WEBHOOK_HOSTS"),
        (USUAL, "https://127.0.0.1/", "not a public address"),
        (USUAL, "https://10.1.2.3/", "not a public address"),
        (USUAL, "https://0x7f.1/", "not a public address"),
        (USUAL, "https://2130706433/", "not a public address"),
        (USUAL, "https://169.254.169.254/latest", "not a public address"),
        (USUAL, "https://[::1]/", "not a public address"),
        (USUAL, "https://[::ffff:127.0.0.1]/", "not a public address"),
        (USUAL, "http://localhost:9000/", "AGENTOS_WEBHOOK_PRIVATE_HOSTS"),
        (HOUSE, "https://c.example/", "AGENTOS_WEBHOOK_HOSTS"),
        (HOUSE, "https://b.example:8443/", "AGENTOS_WEBHOOK_HOSTS"),
        (HOUSE, "http://10.0.0.5:8080/", "AGENTOS_WEBHOOK_PRIVATE_HOSTS"),
        (LOOPBACK, "http://10.0.0.5/", "AGENTOS_WEBHOOK_PRIVATE_HOSTS"),
        (LOOPBACK, "http://localhost.example:9000/", "AGENTOS_WEBHOOK_PRIVATE_HOSTS"),
        (USUAL, "ftp://receiver.example/", "neither"),
        (USUAL, "https://", "neither"),
        (USUAL, "https://a:b/", "not a URL"),
    ],
)
def test_a_url_that_is_not_allowed_is_refused_with_the_setting(
    policy: WebhookPolicy, url: str, reason: str
) -> None:
    with pytest.raises(EndpointRefused, match=reason):
        policy.judge(DEFAULT_TEAM, url)


def test_loopback_is_for_the_team_of_the_owner_alone() -> None:
    with pytest.raises(EndpointRefused):
        LOOPBACK.judge(uuid4(), "http://localhost:9000/")


@given(
    url=st.one_of(st.text(), st.text().map("https://{}".format), st.text().map("http://{}/".format))
)
def test_whatever_a_url_is_it_is_judged_or_refused_and_never_leads_inside(url: str) -> None:
    try:
        endpoint = USUAL.judge(DEFAULT_TEAM, url)
    except EndpointRefused:
        return
    assert (endpoint.url.scheme, endpoint.is_inside) == ("https", False)

"""Webhooks and callbacks that make no sense are refused with the place of each mistake."""

from typing import Any

import pytest

from tests.integration.api_stage import Stage, pipeline

_URL = "https://receiver.example/hook"

_BAD_WEBHOOKS: list[tuple[dict[str, Any], str]] = [
    ({}, "/url"),
    ({"url": 5}, "/url"),
    ({"url": "receiver.example"}, "/url"),
    ({"url": "https://"}, "/url"),
    ({"url": "https://a:b/"}, "/url"),
    ({"url": "https://a:0/"}, "/url"),
    ({"url": "https://user:hunter2@receiver.example/"}, "/url"),
    ({"url": "https://receiver.example/#x"}, "/url"),
    ({"url": "https://receiver.example/a b"}, "/url"),
    ({"url": "https://receiver.example\\@127.0.0.1/"}, "/url"),
    ({"url": "https://rec\u00e9iver.example/"}, "/url"),
    ({"url": f"https://receiver.example/{'x' * 2_000}"}, "/url"),
    ({"url": "http://receiver.example/"}, "/url"),
    ({"url": "https://10.0.0.1/"}, "/url"),
    ({"url": "https://169.254.169.254/latest/meta-data"}, "/url"),
    ({"url": "https://receiver.example:22/"}, "/url"),
    ({"url": _URL, "events": []}, "/events"),
    ({"url": _URL, "events": ["task.done"]}, "/events/0"),
    ({"url": _URL, "events": ["task.failed"] * 7}, "/events"),
    ({"url": _URL, "secret": "hunter2"}, "/secret"),
    ({"url": _URL, "secret": "whsec_AAAA"}, "/secret"),
    ({"url": _URL, "color": "red"}, "/color"),
]


@pytest.mark.parametrize(
    ("body", "pointer"), _BAD_WEBHOOKS, ids=[str(number) for number in range(len(_BAD_WEBHOOKS))]
)
async def test_a_webhook_that_makes_no_sense_is_refused_with_the_place(
    stage: Stage, body: dict[str, Any], pointer: str
) -> None:
    answer = await stage.http.post("/webhooks", json=body)
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["pointer"] == pointer
    assert "hunter2" not in answer.text


async def test_callbacks_that_make_no_sense_are_refused_with_all_their_mistakes(
    stage: Stage,
) -> None:
    await stage.http.post("/webhooks/secret")

    async def pointers(callbacks: list[dict[str, Any]]) -> list[str]:
        body = {"pipeline": pipeline("print 1"), "callbacks": callbacks}
        answer = await stage.http.post("/tasks", json=body)
        assert answer.status_code == 422, answer.text
        return [error["pointer"] for error in answer.json()["errors"]]

    assert await pointers([{"url": _URL}, {"url": "http://10.0.0.1/"}, {"url": "ftp://x"}]) == [
        "/callbacks/2/url"
    ]
    assert await pointers([{"url": "https://10.0.0.1/"}, {"url": "http://receiver.example/"}]) == [
        "/callbacks/0/url",
        "/callbacks/1/url",
    ]
    assert await pointers([{"url": _URL}, {"url": _URL, "events": ["task.failed"]}]) == [
        "/callbacks"
    ]
    assert await pointers([{"url": f"{_URL}/{n}"} for n in range(9)]) == ["/callbacks"]


async def test_a_team_without_a_secret_has_no_callbacks_and_is_told_how_to_make_one(
    stage: Stage,
) -> None:
    team = await stage.team()
    body = {"pipeline": pipeline("print 1"), "callbacks": [{"url": _URL}]}
    answer = await team.post("/tasks", json=body)
    assert answer.status_code == 422
    [error] = answer.json()["errors"]
    assert error["pointer"] == "/callbacks"
    assert "agentos webhooks secret" in error["message"]
    assert (await team.post("/webhooks/secret")).status_code == 200
    assert (await team.post("/tasks", json=body)).status_code == 202


async def test_a_request_that_is_sent_again_gives_the_same_task_and_another_callback_none(
    stage: Stage,
) -> None:
    team = await stage.team()
    await team.post("/webhooks/secret")
    key = {"Idempotency-Key": "callbacks"}
    body: dict[str, Any] = {"pipeline": pipeline("print 1"), "callbacks": [{"url": _URL}]}
    first = await team.post("/tasks", json=body, headers=key)
    again = await team.post("/tasks", json=body, headers=key)
    assert first.json()["task_id"] == again.json()["task_id"]
    body["callbacks"] = [{"url": f"{_URL}/other"}]
    assert (await team.post("/tasks", json=body, headers=key)).status_code == 409


async def test_a_secret_of_ones_own_is_taken_and_shown_once(stage: Stage) -> None:
    team = await stage.team()
    secret = "whsec_" + "A" * 32
    made = (await team.post("/webhooks", json={"url": _URL, "secret": secret})).json()
    assert made["secret"] == secret
    for path in ("/webhooks", f"/webhooks/{made['id']}"):
        assert secret not in (await team.get(path)).text


async def test_a_delivery_or_webhook_that_is_not_there_is_not_found(stage: Stage) -> None:
    nowhere = "00000000-0000-4000-8000-00000000000f"
    for method, path in (
        ("GET", f"/webhooks/{nowhere}"),
        ("GET", f"/webhooks/deliveries/{nowhere}"),
        ("POST", f"/webhooks/deliveries/{nowhere}/resend"),
        ("DELETE", f"/webhooks/{nowhere}"),
    ):
        answer = await stage.http.request(method, path)
        assert (answer.status_code, answer.json()["code"]) == (404, "not-found")

"""The page of what waits for you: seen, edited, decided on, and answered."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from playwright.async_api import Locator, Page, expect

from activities.agents.elicitations import approval_of
from activities.store.approvals import Approval
from activities.tools.mcp.questions import Question
from deploy.local.services import Services
from tests.browser.visits import NARROW, check_accessible, check_fits
from tests.integration.agent_stage import (
    ObedientAgents,
    agent_stage,
    approval,
    submit,
    working_agents,
)
from tests.integration.api_stage import Stage
from tests.integration.plan_rows import a_node, a_plan
from tests.integration.resident_rows import new_agent, new_exchange, read
from tests.integration.waiting_rows import ask
from workflows.states import Status

SCRIPT = "<script>document.title = 'taken over'</script><img src=x onerror=alert(1)>"
FORM = {
    "properties": {
        "seats": {"type": "integer", "title": "Seats", "minimum": 1, "description": "how many"},
        "class": {
            "type": "string",
            "oneOf": [{"const": "e", "title": "Economy"}, {"const": "b", "title": "Business"}],
        },
        "extras": {"type": "array", "items": {"enum": ["meal", "bag", SCRIPT]}},
        "window": {"type": "boolean", "default": True},
        "email": {"type": "string", "format": "email"},
    },
    "required": ["seats"],
}


@pytest.fixture(scope="module")
async def asking(infrastructure: Services, skills_folder: Path) -> AsyncIterator[Stage]:
    """An API for agents."""
    async with agent_stage(infrastructure, skills_folder) as stage:
        yield stage


@pytest.fixture(scope="module", autouse=True)
async def agents(asking: Stage) -> AsyncIterator[ObedientAgents]:
    """They ask what their task says."""
    async with working_agents(asking) as agents:
        yield agents


async def _asked(stage: Stage, *orders: str) -> tuple[str, list[dict[str, Any]]]:
    """A task that waits, and what it waits for."""
    task_id = await submit(stage, *orders)
    await stage.until(task_id, "waiting")
    return task_id, (await stage.http.get(f"/tasks/{task_id}/approvals")).json()["items"]


async def _exchange(stage: Stage) -> UUID:
    agent_id = await new_agent(stage.database)
    return await new_exchange(stage.database, agent_id, 1, "x", status=Status.RUNNING)


def _card(page: Page, call_id: object) -> Locator:
    return page.locator(f"#call-{call_id}")


def _elicitation(text: str, form: dict[str, Any] | None, url: str | None = None) -> Approval:
    return approval_of(Question(text, form, url), {}, 1, 3_600.0, 0)


async def _decision(stage: Stage, call_id: object) -> dict[str, Any]:
    [row] = await read(
        stage.database,
        "SELECT approval, input_context FROM sub_tasks WHERE id = :id",
        id=UUID(str(call_id)),
    )
    return {**row.approval, "context": row.input_context}


async def test_what_begins_to_wait_appears_by_itself_and_is_approved(
    page: Page, asking: Stage, agents: ObedientAgents
) -> None:
    await page.goto(f"{asking.url}/waiting")
    task_id, [item] = await _asked(asking, "ask a", "finish x")
    card = _card(page, item["call_id"])
    await expect(card).to_contain_text("Allow a")
    await expect(card).to_contain_text('"ask"')
    await card.get_by_label("Note").fill("go on")
    await card.get_by_role("button", name="Approve").click()
    await expect(card).to_have_count(0)
    await expect(page.locator("#announcer")).to_have_text("Approved")
    await asking.until(task_id, "completed")
    assert agents.verdicts["1.1 a"] == "approved"
    assert (await _decision(asking, item["call_id"]))["note"] == "go on"


@pytest.mark.parametrize("context", [{"java_script_enabled": False}], indirect=True)
async def test_a_call_is_denied_with_a_note_without_scripts(page: Page, asking: Stage) -> None:
    task_id, [item] = await _asked(asking, "ask a", "finish x")
    await page.goto(f"{asking.url}/waiting?task_id={task_id}")
    await page.get_by_label("Note").fill("Not on a Saturday.")
    await page.get_by_role("button", name="Deny").click()
    await expect(page.get_by_text("Nothing waits here any more")).to_be_visible()
    found = await _decision(asking, item["call_id"])
    assert (found["decision"], found["note"]) == ("deny", "Not on a Saturday.")


async def test_edited_arguments_are_judged_in_place_and_then_the_call_is_made_with_them(
    page: Page, asking: Stage
) -> None:
    exchange = await _exchange(asking)
    call_id = await ask(asking, exchange, {"name": "a.txt", "text": "old  words"})
    await page.goto(f"{asking.url}/waiting?task_id={exchange}")
    card = _card(page, call_id)
    await card.get_by_text("Edit the arguments").click()
    field = card.get_by_label("Arguments, as JSON")
    approve = card.get_by_role("button", name="Approve")
    for text, problem in (
        ('{"name": "a.txt",\n "text": }', "This is not JSON"),
        ('{"name": 3, "text": "x"}', "/name"),
        ('{"name": "a.txt"}', "/text"),
    ):
        await field.fill(text)
        await approve.click()
        await expect(card.locator(".problems")).to_contain_text(problem)
        await expect(field).to_have_value(text)
        await expect(field).to_be_focused()
    await check_accessible(page)
    await field.fill('{"name": "a.txt", "text": "old words"}')
    await approve.click()
    await expect(card).to_have_count(0)
    found = await _decision(asking, call_id)
    assert found["context"]["arguments"] == {"name": "a.txt", "text": "old words"}
    assert found["is_edited"] is True


async def test_the_next_card_has_the_focus_and_keys_lead_to_its_buttons(
    page: Page, asking: Stage
) -> None:
    exchange = await _exchange(asking)
    calls = [await ask(asking, exchange, {"name": f"{n}.txt", "text": "x"}) for n in range(3)]
    await page.goto(f"{asking.url}/waiting?task_id={exchange}")
    await page.keyboard.press("a")
    await expect(_card(page, calls[0]).get_by_role("button", name="Approve")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(_card(page, calls[1])).to_be_focused()
    await page.keyboard.press("e")
    await expect(_card(page, calls[1]).get_by_label("Arguments, as JSON")).to_be_focused()
    await page.keyboard.press("Escape")
    await page.keyboard.press("d")
    # Without a focus the first card is meant.
    await expect(_card(page, calls[1]).get_by_role("button", name="Deny")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(_card(page, calls[2])).to_be_focused()
    await page.keyboard.press("d")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("Nothing waits here any more")).to_be_visible()
    decisions = [(await _decision(asking, call))["decision"] for call in calls]
    assert decisions == ["approve", "deny", "deny"]


async def test_what_somebody_types_stays_while_others_come_and_go(
    page: Page, asking: Stage
) -> None:
    exchange = await _exchange(asking)
    call_id = await ask(asking, exchange, {"name": "a.txt", "text": "x"})
    await page.goto(f"{asking.url}/waiting")
    note = _card(page, call_id).get_by_label("Note")
    await note.fill("Half a sen")
    _, [other] = await _asked(asking, "ask a")
    await expect(_card(page, other["call_id"])).to_be_visible()
    await expect(note).to_have_value("Half a sen")
    await expect(note).to_be_focused()


async def test_the_form_of_a_server_is_filled_in(page: Page, asking: Stage) -> None:
    exchange = await _exchange(asking)
    asked = _elicitation("Which seats?", FORM)
    call_id = await ask(asking, exchange, {"to": "Oslo"}, tool="mcp.travel.book", asked=asked)
    await page.goto(f"{asking.url}/waiting?task_id={exchange}")
    card = _card(page, call_id)
    await expect(card.locator(".question")).to_have_text("Which seats?")
    await card.get_by_label("Seats").fill("2")
    await card.get_by_label("class").select_option("Business")
    await card.get_by_label("bag").check()
    await card.get_by_label("window").select_option("No")
    await card.get_by_label("email").fill("ann@a.example")
    await check_accessible(page)
    await card.get_by_role("button", name="Answer").click()
    await expect(card).to_have_count(0)
    found = await _decision(asking, call_id)
    assert json.loads(found["note"]) == {
        "seats": "2",
        "class": "b",
        "extras": ["bag"],
        "window": "no",
        "email": "ann@a.example",
    }


@pytest.mark.parametrize("context", [{"java_script_enabled": False}], indirect=True)
async def test_an_answer_that_does_not_fit_is_said_beside_its_field(
    page: Page, asking: Stage
) -> None:
    exchange = await _exchange(asking)
    form = {"properties": {"day": {"type": "string", "format": "date-time"}}, "required": ["day"]}
    call_id = await ask(asking, exchange, {}, tool="mcp.a.b", asked=_elicitation("When?", form))
    await page.goto(f"{asking.url}/waiting?call_id={call_id}")
    await page.get_by_label("day").fill("soon")
    await page.get_by_role("button", name="Answer").click()
    field = page.get_by_label("day")
    await expect(field).to_have_attribute("aria-invalid", "true")
    await expect(field).to_have_value("soon")
    await expect(page.locator(".field .problem")).to_contain_text("a date and time such as")
    await field.fill("2026-11-29T12:00:00Z")
    await page.get_by_role("button", name="Answer").click()
    assert (await _decision(asking, call_id))["decision"] == "approve"


async def test_a_page_to_open_is_a_link_that_tells_nothing_of_us(page: Page, asking: Stage) -> None:
    exchange = await _exchange(asking)
    asked = _elicitation("Sign in.", None, "https://sign.example/in?state=1")
    call_id = await ask(asking, exchange, {}, tool="mcp.a.b", asked=asked)
    await page.goto(f"{asking.url}/waiting?call_id={call_id}")
    link = page.get_by_role("link", name="https://sign.example/in?state=1")
    assert "noreferrer" in str(await link.get_attribute("rel"))
    await expect(page.locator(".question")).to_contain_text("Open a page at sign.example")
    await page.get_by_role("button", name="Done there").click()
    await page.wait_for_url(f"{asking.url}/waiting")
    assert (await _decision(asking, call_id))["decision"] == "approve"


async def test_a_question_of_an_agent_is_answered(page: Page, asking: Stage) -> None:
    task_id, [item] = await _asked(asking, "question a", "finish x")
    await page.goto(f"{asking.url}/waiting?task_id={task_id}")
    card = _card(page, item["call_id"])
    await card.get_by_role("button", name="Answer").click()
    await expect(card.locator(".problem")).to_contain_text("write the answer here")
    await card.get_by_label("Your answer").fill("The first.")
    await card.get_by_role("button", name="Answer").click()
    await asking.until(task_id, "completed")


async def test_a_plan_shows_its_nodes_which_can_be_edited(page: Page, asking: Stage) -> None:
    plan = await a_plan(asking.database)
    nodes = (a_node("clean", size="large"), a_node("report", "clean"))
    call_id = await plan.call(nodes, Status.WAITING, approval=approval("approval"))
    await page.goto(f"{asking.url}/waiting?task_id={plan.id}")
    card = _card(page, call_id)
    await expect(card.get_by_role("heading")).to_have_text("Approve a plan")
    await expect(card.locator(".nodes > li")).to_have_count(2)
    await expect(card.locator(".nodes")).to_contain_text("after clean")
    await expect(card.locator(f'.nodes ~ p a[href="/tasks/{plan.id}"]')).to_be_visible()
    await card.get_by_text("Edit the nodes").click()
    field = card.get_by_label("Nodes, as JSON")
    edited = json.loads(await field.input_value())
    edited[1]["depends_on"] = ["nobody"]
    await field.fill(json.dumps(edited))
    await card.get_by_role("button", name="Approve").click()
    await expect(card.locator(".problems")).to_contain_text("nobody")
    edited[1]["depends_on"] = []
    await field.fill(json.dumps(edited))
    await card.get_by_role("button", name="Approve").click()
    await expect(card).to_have_count(0)
    made = (await _decision(asking, call_id))["context"]["arguments"]["nodes"]
    assert [node.get("depends_on", []) for node in made] == [[], []]


async def test_what_was_decided_on_elsewhere_says_so(page: Page, asking: Stage) -> None:
    exchange = await _exchange(asking)
    call_id = await ask(asking, exchange, {"name": "a.txt", "text": "x"})
    await page.goto(f"{asking.url}/waiting?task_id={exchange}")
    await page.route("**/live*", lambda route: route.abort())
    path = f"/tasks/{exchange}/approvals/{call_id}"
    assert (await asking.http.post(path, json={"decision": "deny"})).is_success
    approve = _card(page, call_id).get_by_role("button", name="Approve")
    await approve.click(timeout=2_000, no_wait_after=True)
    await expect(page.get_by_role("alert")).to_contain_text("already denied")
    await expect(page.get_by_text("Nothing waits here any more")).to_be_visible()


HOSTILE = {
    "text": f"{SCRIPT}\u202egpj.exe\u2066",
    f"{SCRIPT}\u202e": "x",
    "code": f"print(1)\n{SCRIPT}\u202e\x1b[2J",
    "</textarea></pre><script>alert(2)</script>": ["</script>", {"a": None}],
}


async def test_hostile_arguments_are_shown_and_not_obeyed(page: Page, asking: Stage) -> None:
    exchange = await _exchange(asking)
    call_id = await ask(asking, exchange, HOSTILE, tool=f"mcp.{SCRIPT}.x")
    asked = _elicitation(f"{SCRIPT}\u202e?", FORM)
    await ask(asking, exchange, {}, tool="mcp.a.b", asked=asked)
    await page.goto(f"{asking.url}/waiting?task_id={exchange}")
    card = _card(page, call_id)
    await expect(card.locator(".arguments")).to_contain_text("<script>document.title")
    await expect(card.locator(".arguments")).to_contain_text("\\u202egpj.exe\\u2066")
    await expect(card.locator(".arguments")).to_contain_text("\\x1b[2J")
    assert "taken over" not in await page.title()
    assert await page.locator("main script, main img").count() == 0
    text = await card.locator("textarea[name=text]").input_value()
    assert json.loads(text) == HOSTILE
    await check_accessible(page)
    await card.get_by_role("button", name="Approve").click()
    await expect(card).to_have_count(0)
    assert "is_edited" not in (await _decision(asking, call_id))["context"]


async def test_a_megabyte_of_arguments_is_cut_until_somebody_reads_all_of_it(
    page: Page, asking: Stage
) -> None:
    exchange = await _exchange(asking)
    long = "".join(f"line {number}\n" for number in range(90_000)) + "the end"
    call_id = await ask(asking, exchange, {"name": "a.txt", "text": long})
    answer = await page.goto(f"{asking.url}/waiting?task_id={exchange}")
    assert answer is not None
    assert len(await answer.body()) < 20_000
    card = _card(page, call_id)
    await expect(card.get_by_role("button", name="Approve")).to_have_count(0)
    await card.get_by_role("link", name="Read all of it").click()
    await expect(card.locator(".arguments")).to_contain_text("the end")
    await card.get_by_role("link", name="Edit what it is made with").click()
    assert "the end" in await card.locator("textarea[name=text]").input_value()
    await page.go_back()
    await card.get_by_role("button", name="Approve").click()
    await page.wait_for_url(f"{asking.url}/waiting")
    assert (await _decision(asking, call_id))["decision"] == "approve"


async def test_nothing_that_waits_teaches_what_comes_here(page: Page, asking: Stage) -> None:
    await page.goto(f"{asking.url}/waiting?task_id={uuid4()}")
    await expect(page.get_by_text("Nothing waits here any more")).to_be_visible()
    await check_accessible(page)


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_the_page_fits_a_narrow_screen_and_axe_finds_nothing(
    page: Page, asking: Stage, theme: str
) -> None:
    exchange = await _exchange(asking)
    await ask(asking, exchange, {"name": "w" * 300, "text": "a\n" + "b" * 500}, tool="w" * 200)
    await ask(asking, exchange, {}, tool="mcp.a.b", asked=_elicitation("Which?", FORM))
    await page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    await page.set_viewport_size(NARROW)
    await page.goto(f"{asking.url}/waiting?task_id={exchange}")
    await check_fits(page)
    await check_accessible(page)


async def test_the_way_there_says_how_much_waits(page: Page, asking: Stage) -> None:
    exchange = await _exchange(asking)
    await ask(asking, exchange, {"name": "a.txt", "text": "x"})
    count = (await asking.http.get("/approvals/count")).json()["count"]
    await page.goto(asking.url)
    await expect(page.locator('nav a[href="/waiting"] .count')).to_have_text(str(count))
    await check_accessible(page)

"""What else an agent that stays has: memory, reminders, children, settings, and an end."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from playwright.async_api import Page, expect

from tests.browser.visits import NARROW, check_accessible, check_fits
from tests.doubles.scripted_models import Endless, ScriptedModels
from tests.live import Live
from tests.live_agents import LiveAgent, live_agent
from workflows.states import AgentState


@pytest.fixture
async def agent(live: Live, models: ScriptedModels) -> LiveAgent:
    return await live_agent(live, models.conversation(Endless("On and on")))


def _of(agent: LiveAgent, tab: str) -> str:
    return f"{agent.live.services.api_url}/agents/{agent.id}/{tab}"


async def test_notes_are_written_found_by_their_words_and_deleted(
    page: Page, agent: LiveAgent
) -> None:
    await page.goto(_of(agent, "memory"))
    await expect(page.get_by_role("heading", name="No note yet")).to_be_visible()
    for text in ("The year begins in April.", "<b>North</b> sells most."):
        await page.get_by_label("A new note").fill(text)
        await page.get_by_role("button", name="Have it remembered").click()
        await expect(page.get_by_label("A new note")).to_have_value("")
        await expect(page.locator("#notes")).to_contain_text(text)
    await check_accessible(page)
    await page.get_by_label("Words, or their beginnings").fill("nor")
    await page.keyboard.press("Enter")
    notes = page.locator("#notes li")
    await expect(notes).to_have_count(1)
    await expect(notes).to_contain_text("<b>North</b>")
    await notes.get_by_role("button", name="Forget").click()
    await expect(page.locator("#notes")).not_to_contain_text("North")
    await page.goto(_of(agent, "memory"))
    await expect(notes).to_have_count(1)


async def test_a_reminder_is_set_and_cancelled(page: Page, agent: LiveAgent) -> None:
    await page.goto(_of(agent, "reminders"))
    await page.get_by_label("Of what").fill("Look for new exports.")
    await page.get_by_label("Every").fill("1d")
    day = datetime.now(UTC).date() + timedelta(days=30)
    await page.get_by_label("At (UTC)").fill(f"{day}T07:00")
    await page.get_by_role("button", name="Remind it").click()
    row = page.locator("#reminders tbody tr")
    await expect(row).to_contain_text("Look for new exports.")
    await expect(row.locator("time")).to_have_attribute("datetime", f"{day}T07:00:00.000+00:00")
    await check_accessible(page)
    await row.get_by_role("button", name="Cancel").click()
    await expect(page.get_by_role("heading", name="Nothing to be reminded of")).to_be_visible()


async def test_a_reminder_that_says_no_time_is_refused_in_place(
    page: Page, agent: LiveAgent
) -> None:
    await page.goto(_of(agent, "reminders"))
    await page.get_by_label("Of what").fill("Something.")
    await page.get_by_role("button", name="Remind it").click()
    await expect(page.get_by_role("alert")).to_contain_text("say when")
    await expect(page.get_by_label("Of what")).to_have_value("Something.")


async def test_children_are_listed_beneath_their_parent(page: Page, agent: LiveAgent) -> None:
    name = f"child-{uuid4().hex[:8]}"
    body = {"name": name, "parent_id": agent.id}
    assert (await agent.live.http.post("/api/v1/agents", json=body)).status_code == 201
    await page.goto(_of(agent, "children"))
    await expect(page.locator("#children")).to_contain_text(name)
    await expect(page.get_by_role("heading", name="It has begun no task")).to_be_visible()
    await check_accessible(page)
    await page.goto(f"{agent.live.services.api_url}/agents?parent_id={agent.id}")
    await expect(page.locator("[data-row]")).to_have_count(1)


async def test_settings_change_an_agent_and_keep_what_is_not_touched(
    page: Page, agent: LiveAgent
) -> None:
    await page.goto(_of(agent, "settings"))
    await check_accessible(page)
    before = await agent.show()
    await page.get_by_label("Tone").fill("brief")
    await page.get_by_label("Dollars a day").fill("2.5")
    tools = page.get_by_role("group", name="Tools")
    await tools.get_by_label("Only these:").check()
    await tools.locator("summary").click()
    await tools.get_by_label("remember", exact=True).check()
    await page.get_by_role("button", name="Save").click()
    await expect(page.locator("#announcer")).to_have_text("Saved")
    after = await agent.show()
    assert after["tools"] == ["remember"]
    assert after["profile"] == before["profile"] | {"tone": "brief"}
    assert after["limits"] == before["limits"] | {"daily_cost_usd": 2.5}
    assert after["skills"] is None
    await page.get_by_label("Dollars a day").fill("much")
    await page.get_by_role("button", name="Save").click()
    await expect(page.locator("#daily_cost_usd-problem")).to_be_visible()


async def test_an_agent_is_paused_and_resumed(page: Page, agent: LiveAgent) -> None:
    await page.goto(_of(agent, "memory"))
    await page.get_by_role("button", name="Pause").click()
    await expect(page.locator("#strip")).to_contain_text("paused")
    await check_accessible(page)
    await page.get_by_role("button", name="Resume").click()
    await expect(page.locator("#strip")).to_contain_text("idle")


@pytest.mark.parametrize("context", [{"java_script_enabled": False}], indirect=True)
async def test_an_agent_is_terminated_and_deleted_by_pages_that_say_what_happens(
    page: Page, agent: LiveAgent
) -> None:
    child = {"name": f"child-{uuid4().hex[:8]}", "parent_id": agent.id}
    made = (await agent.live.http.post("/api/v1/agents", json=child)).json()
    await page.goto(_of(agent, "settings"))
    await page.get_by_role("link", name="Terminate…").click()
    await expect(page.locator("main")).to_contain_text(child["name"])
    await page.get_by_label("stay, and belong to nobody").check()
    await page.get_by_role("button", name="Terminate it").click()
    await agent.gets(AgentState.TERMINATED)
    kept = (await agent.live.http.get(f"/api/v1/agents/{made['id']}")).json()
    assert (kept["state"], kept["parent_id"]) == ("idle", None)
    await page.reload()
    await page.get_by_role("link", name="Delete…").click()
    await expect(page.locator("main")).to_contain_text("cannot be undone")
    await page.get_by_role("button", name="Delete it").click()
    assert (await agent.live.http.get(f"/api/v1/agents/{agent.id}")).status_code == 404


@pytest.mark.parametrize("tab", ["", "memory", "children", "reminders", "groups", "settings"])
async def test_each_page_of_an_agent_fits_a_narrow_screen(
    page: Page, agent: LiveAgent, tab: str
) -> None:
    await page.set_viewport_size(NARROW)
    await page.goto(_of(agent, tab).rstrip("/"))
    await check_fits(page)
    await check_accessible(page)


async def test_pages_that_say_what_happens_are_accessible(page: Page, agent: LiveAgent) -> None:
    for path in ("terminate", "delete"):
        await page.goto(_of(agent, path))
        await check_accessible(page)


async def test_an_agent_of_another_team_or_none_is_not_found(page: Page, live: Live) -> None:
    answer = await page.goto(f"{live.services.api_url}/agents/{uuid4()}")
    assert answer is not None
    assert answer.status == 404
    await expect(page.get_by_role("heading", level=1)).to_have_text("Not Found")

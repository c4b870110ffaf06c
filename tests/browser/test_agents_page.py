"""The page of all agents that stay, and the form that makes one."""

from uuid import uuid4

import pytest
from playwright.async_api import Page, expect

from tests.browser.visits import NARROW, check_accessible, check_fits
from tests.doubles.scripted_models import ScriptedModels, asks
from tests.live import Live
from tests.live_agents import live_agent


async def test_agents_are_made_and_found_by_name_and_state(page: Page, live: Live) -> None:
    name = f"clerk-{uuid4().hex[:8]}"
    await page.goto(f"{live.services.api_url}/agents")
    await page.get_by_role("link", name="New agent").first.click()
    await check_accessible(page)
    await page.get_by_label("Name").fill(name)
    await page.get_by_label("Role").fill("a clerk who knows our sales")
    await page.get_by_label("Tokens a day").fill("200000")
    await page.get_by_role("button", name="Make it").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text(name)

    await page.goto(f"{live.services.api_url}/agents?text={name}&state=idle")
    row = page.locator("[data-row]")
    await expect(row).to_have_count(1)
    await expect(row).to_contain_text("a clerk who knows our sales")
    await expect(row).to_contain_text("idle")
    await check_accessible(page)
    await page.goto(f"{live.services.api_url}/agents?text={name}&state=error")
    await expect(page.get_by_role("heading", name="No agent fits")).to_be_visible()


async def test_what_is_wrong_with_a_new_agent_stands_beside_its_field(
    page: Page, live: Live
) -> None:
    await page.goto(f"{live.services.api_url}/agents/new")
    await page.get_by_label("Name").fill("user")
    await page.get_by_label("Tokens a day").fill("many")
    await page.get_by_role("button", name="Make it").click()
    await expect(page.locator("#name-problem")).to_contain_text("no agent is called")
    await expect(page.locator("#daily_tokens-problem")).to_be_visible()
    await expect(page.get_by_label("Tokens a day")).to_have_value("many")
    await check_accessible(page)


@pytest.mark.parametrize("context", [{"java_script_enabled": False}], indirect=True)
async def test_an_agent_is_made_without_scripts(page: Page, live: Live) -> None:
    name = f"plain-{uuid4().hex[:8]}"
    await page.goto(f"{live.services.api_url}/agents/new")
    await page.get_by_role("button", name="Make it").click()
    await page.get_by_label("Name").fill(name)
    await page.get_by_label("Role").fill("as it was typed")
    await page.get_by_label("Tokens", exact=True).fill("none")
    await page.get_by_role("button", name="Make it").click()
    await expect(page.locator("#tokens-problem")).to_be_visible()
    await expect(page.get_by_label("Role")).to_have_value("as it was typed")
    await page.get_by_label("Tokens", exact=True).fill("1000")
    await page.get_by_role("button", name="Make it").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text(name)


async def test_the_list_follows_what_agents_do(
    page: Page, live: Live, models: ScriptedModels
) -> None:
    agent = await live_agent(live, models.conversation(asks(text="Hello.")))
    await page.goto(f"{live.services.api_url}/agents?text={agent.name}")
    await agent.do("pause")
    await expect(page.locator("[data-row]")).to_contain_text("paused")


async def test_the_list_fits_a_narrow_screen(page: Page, live: Live) -> None:
    answer = await live.http.post(
        "/api/v1/agents",
        json={"name": f"{'n' * 90}{uuid4().hex[:8]}", "profile": {"role": "<b>role</b> " * 60}},
    )
    assert answer.status_code == 201, answer.text
    await page.set_viewport_size(NARROW)
    await page.goto(f"{live.services.api_url}/agents")
    await check_fits(page)
    await check_accessible(page)

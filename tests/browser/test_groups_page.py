"""Groups of agents that stay, in a browser."""

from uuid import uuid4

import pytest
from playwright.async_api import Page, expect

from tests.browser.visits import NARROW, check_accessible, check_fits
from tests.doubles.model_server import Act
from tests.doubles.scripted_models import Held, ScriptedModels, asks
from tests.live import Live
from tests.live_agents import LiveAgent, live_agent


async def _agents(
    live: Live, models: ScriptedModels, *answers: list[Act]
) -> tuple[list[LiveAgent], str]:
    """Agents that give these answers in turn, and a group of them."""
    agents = [await live_agent(live, models.conversation(*each)) for each in answers]
    body = {"name": f"crew-{uuid4().hex[:8]}", "members": [agent.id for agent in agents]}
    answer = await live.http.post("/api/v1/groups", json=body)
    assert answer.status_code == 201, answer.text
    return agents, f"{live.services.api_url}/groups/{answer.json()['id']}"


async def test_two_voices_are_heard_and_the_group_says_why_it_fell_silent(
    page: Page, live: Live, models: ScriptedModels
) -> None:
    held = Held(asks(text="What is the evidence?"))
    (first, second), address = await _agents(
        live, models, [asks(text="In the **north**."), asks(text="")], [held, asks(text="")]
    )
    await page.goto(address)
    await page.get_by_label("Message to all members").fill("Which region?")
    await page.keyboard.press("Enter")
    transcript = page.locator("#transcript")
    await expect(transcript.locator("strong")).to_have_text("north")
    await expect(page.locator("#thinking")).to_contain_text(second.name)
    await expect(page.locator("#thinking")).not_to_contain_text(first.name)
    await check_accessible(page)
    held.go_on.set()
    await expect(transcript).to_contain_text("What is the evidence?")
    await expect(transcript).to_contain_text("Nobody had anything more to say.")
    await expect(page.locator("#thinking")).to_be_empty()
    names = transcript.locator(".voice a")
    await expect(names).to_have_text([first.name, second.name])
    colours = {await each.locator("..").get_attribute("class") for each in await names.all()}
    assert len(colours) == 2
    await page.set_viewport_size(NARROW)
    await check_fits(page)
    await check_accessible(page)


async def test_a_group_is_made_changed_and_deleted(
    page: Page, live: Live, models: ScriptedModels
) -> None:
    agents = [await live_agent(live, models.conversation()) for _ in range(2)]
    name = f"board-{uuid4().hex[:8]}"
    await page.goto(f"{live.services.api_url}/groups")
    await check_accessible(page)
    await page.get_by_role("link", name="New group").first.click()
    await page.get_by_label("Name", exact=True).fill(name)
    await page.get_by_label(agents[0].name, exact=True).check()
    await page.get_by_label("Rounds").fill("none")
    await page.get_by_role("button", name="Make it").click()
    await expect(page.locator("#rounds-problem")).to_be_visible()
    await check_accessible(page)
    await page.get_by_label("Rounds").fill("5")
    await page.get_by_role("button", name="Make it").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text(name)
    await check_accessible(page)

    await page.get_by_role("link", name="Members and settings").click()
    await page.get_by_label("Let in").select_option(label=agents[1].name)
    await page.get_by_role("button", name="Add").click()
    members = page.locator("#members")
    await expect(members).to_contain_text(agents[1].name)
    await members.locator("li").filter(has_text=agents[0].name).get_by_role("button").click()
    await expect(members).not_to_contain_text(agents[0].name)
    await page.get_by_label("only those who are named").check()
    await page.get_by_role("button", name="Save").click()
    await expect(page.locator("#strip")).to_contain_text("moderated")
    await check_accessible(page)
    [group] = (await live.http.get("/api/v1/groups", params={"name": name})).json()["items"]
    assert (group["mode"], group["limits"]["rounds"]) == ("moderated", 5)

    await page.goto(f"{live.services.api_url}/agents/{agents[1].id}/groups")
    await expect(page.locator("#groups")).to_contain_text(name)
    await check_accessible(page)
    await page.get_by_role("link", name=name).click()
    await page.get_by_role("link", name="Members and settings").click()
    await page.get_by_role("link", name="Delete…").click()
    await check_accessible(page)
    await page.get_by_role("button", name="Delete it").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Groups")
    await expect(page.locator("main")).not_to_contain_text(name)


async def test_a_group_in_which_nobody_can_answer_says_so_and_the_list_shows_it(
    page: Page, live: Live, models: ScriptedModels
) -> None:
    [agent], address = await _agents(live, models, [])
    await agent.do("pause")
    await page.goto(address)
    await expect(page.locator("#strip")).to_contain_text("paused")
    await page.get_by_label("Message to all members").fill("<i>Anybody</i>?")
    await page.keyboard.press("Enter")
    await expect(page.locator("#transcript")).to_contain_text("Nobody can answer")
    await expect(page.locator("#transcript")).to_contain_text("<i>Anybody</i>?")
    await page.goto(f"{live.services.api_url}/groups")
    await expect(page.locator("#groups")).to_contain_text("Nobody can answer")


@pytest.mark.parametrize("context", [{"java_script_enabled": False}], indirect=True)
async def test_a_group_is_spoken_to_without_scripts(
    page: Page, live: Live, models: ScriptedModels
) -> None:
    _, address = await _agents(live, models, [asks(text="(silent)")])
    await page.goto(address)
    await page.get_by_label("Message to all members").fill("Hello")
    await page.get_by_role("button", name="Send").click()
    await expect(page.locator("#transcript")).to_contain_text("Hello")
    assert page.url == address


async def test_hostile_words_of_a_member_do_nothing(
    page: Page, live: Live, models: ScriptedModels
) -> None:
    hostile = "<script>document.title = 1</script>\u202egpj.exe " + "x" * 900_000
    _, address = await _agents(live, models, [asks(text=hostile), asks(text="")])
    await page.goto(address)
    await page.get_by_label("Message to all members").fill("Go on.")
    await page.keyboard.press("Enter")
    said = page.locator("#transcript .model")
    await expect(said).to_contain_text("<script>", timeout=60_000)
    assert "\u202e" not in await said.inner_text()
    assert len(await page.content()) < 150_000
    await said.get_by_role("link", name="all of it").click()
    await page.set_viewport_size(NARROW)


async def test_groups_are_found_beside_agents(page: Page, live: Live) -> None:
    await page.goto(f"{live.services.api_url}/agents")
    await page.get_by_label("Agents and groups").get_by_role("link", name="Groups").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Groups")
    place = page.get_by_label("Main").get_by_role("link", name="Agents")
    await expect(place).to_have_attribute("aria-current", "true")

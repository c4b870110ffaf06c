"""A person's first hour, with nothing but a browser: no key, no command line, no manual."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Page, expect

from deploy.demo.run import PLAN_PROMPT
from tests.browser.test_new_task import DROP
from tests.live import Live, live_stack

CSV = "mass,length\n" + "".join(f"{n},{2 * n + n % 3}\n" for n in range(1, 40))
# Environments of skills are made when they are first used.
SLOW_MS = 110_000
FIELD = "Pipeline"


@pytest.fixture(scope="module")
async def live(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Live]:
    """The whole stack as somebody has it who has set nothing: with the offline model."""
    async with live_stack(tmp_path_factory.mktemp("journey")) as live:
        yield live


@pytest.fixture
async def visit(page: Page, live: Live) -> Page:
    """The page that ``agentos up`` names."""
    await page.goto(str(live.http.base_url))
    return page


async def _open(page: Page, name: str) -> None:
    await page.get_by_role("navigation", name="Main").get_by_role("link", name=name).click()


async def _drop(page: Page, name: str) -> None:
    await page.get_by_role("button", name="Start").wait_for()  # Until then it is the page before.
    await page.evaluate(DROP, [name, CSV])
    await expect(page.locator(".upload").filter(has_text=name)).to_be_visible()


async def _state(page: Page, word: str) -> None:
    await expect(page.locator("#task-header .state").first).to_contain_text(word, timeout=SLOW_MS)


async def _fill_pipeline(page: Page, old: str, new: str) -> None:
    field = page.get_by_label(FIELD, exact=True)
    text = await field.input_value()
    assert old in text
    await field.fill(text.replace(old, new))


async def test_a_pipeline_runs_breaks_is_mended_and_is_scheduled(visit: Page) -> None:
    page = visit
    # Submit it by drag and drop, and follow it.
    await page.get_by_role("link", name="New task").first.click()
    await page.get_by_role("link", name="Clean a CSV file, draw a chart").click()
    await _drop(page, "birds.csv")
    await _fill_pipeline(page, "first_column", "mass")
    await _fill_pipeline(page, "second_column", "length")
    await page.get_by_role("button", name="Start").click()
    await page.wait_for_url("**/tasks/*-*-*-*-*")
    await _state(page, "completed")
    # Look at the chart.
    await page.get_by_role("link", name="Artifacts", exact=True).click()
    await page.get_by_role("link", name="chart.png", exact=True).first.click()
    chart = page.locator("img").first
    await expect(chart).to_be_visible()
    assert await chart.evaluate("image => image.naturalWidth") > 100
    # Break it.
    await page.get_by_role("link", name="Edit and run again").click()
    await _fill_pipeline(page, "y: length", "y: no_such_column")
    await page.get_by_role("button", name="Start").click()
    await page.wait_for_url("**/tasks/*-*-*-*-*")
    await _state(page, "failed")
    # Find it among the dead letters, and mend it.
    await _open(page, "Dead letters")
    await page.get_by_role("link", name="clean-and-chart").first.click()
    await page.get_by_text("Edit the pipeline").click()
    field = page.get_by_label("Pipeline, as YAML")
    text = await field.input_value()
    assert "no_such_column" in text
    await field.fill(text.replace("no_such_column", "length"))
    await expect(page.get_by_role("button", name="Run it again")).to_be_disabled()
    await page.get_by_role("button", name="Show what will happen").click()
    await expect(page.get_by_role("button", name="Run it again")).to_be_enabled()
    await page.get_by_role("button", name="Run it again").click()
    await page.get_by_role("link", name="Look at it").click()
    await _state(page, "completed")
    # Schedule it.
    await page.get_by_role("link", name="Schedule", exact=True).click()
    await page.get_by_label("Name", exact=True).fill("birds every night")
    await page.get_by_role("button", name="Make the schedule").click()
    await _open(page, "Schedules")
    await expect(page.get_by_role("link", name="birds every night")).to_be_visible()


async def test_a_call_of_an_agent_is_approved(visit: Page) -> None:
    page = visit
    await _open(page, "Tools")
    row = page.locator("tr, li, article").filter(has_text="run_skill_script").first
    await row.get_by_role("button", name="ask").click()
    await page.goto(page.url.replace("/tools", "/tasks/new?type=agent"))
    await _drop(page, "birds.csv")
    await page.get_by_label("What is to be done").fill("profile the columns of this file")
    await page.get_by_role("button", name="Start").click()
    await page.wait_for_url("**/tasks/*-*-*-*-*")
    await _state(page, "waiting")
    task = page.url
    await _open(page, "Waiting for you")
    card = page.locator("article.call").first
    await expect(card).to_contain_text("csv-profile")
    await card.get_by_role("button", name="Approve").first.click()
    await expect(page.get_by_text("Nothing waits for you")).to_be_visible(timeout=SLOW_MS)
    await page.goto(task)
    await _state(page, "completed")
    await _open(page, "Tools")
    await row.get_by_role("button", name="auto").click()


async def test_a_plan_grows_and_ends(visit: Page) -> None:
    page = visit
    await page.goto(f"{page.url}tasks/new?type=plan")
    for name in ("adelie", "gentoo"):
        await _drop(page, f"{name}.csv")
    await page.get_by_label("What is to be done").fill(PLAN_PROMPT)
    await page.get_by_role("button", name="Start").click()
    await page.wait_for_url("**/tasks/*-*-*-*-*")
    nodes = page.locator("svg.graph a")
    await expect(nodes.nth(1)).to_be_visible(timeout=SLOW_MS)
    await _state(page, "completed")


async def test_an_agent_that_stays_answers(visit: Page) -> None:
    page = visit
    await _open(page, "Agents")
    await page.get_by_role("link", name="New agent").first.click()
    await page.get_by_label("Name", exact=True).fill("ada")
    await page.get_by_role("button", name="Make it").click()
    await page.get_by_label("Message", exact=True).fill("hello")
    await page.get_by_role("button", name="Send").click()
    await expect(page.get_by_role("log").get_by_text("Available skills")).to_be_visible(
        timeout=SLOW_MS
    )

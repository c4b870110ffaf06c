"""The page of a task: what happened when, what is selected, and what one can do."""

import re

from playwright.async_api import Page, expect

from tests.browser.visits import NARROW, check_accessible, check_fits
from tests.integration.api_stage import Stage


async def test_the_page_of_a_task_shows_its_steps_attempts_and_result(
    page: Page, stage: Stage
) -> None:
    task_id = await stage.submit("retry\nprint one", 'print {"rows": 3}\nfile a.html hello')
    await stage.until(task_id, "completed")
    await page.goto(f"{stage.url}/tasks/{task_id}")
    await expect(page.get_by_role("heading", level=1)).to_have_text("test")
    rows = page.locator("#timeline [data-row]")
    await expect(rows).to_have_count(2)
    await expect(rows.first.locator("rect.attempt")).to_have_count(2)
    await expect(page.locator("#result")).to_contain_text('"rows": 3')
    await rows.first.get_by_role("link").click()
    await expect(page).to_have_url(re.compile(r"\?step=a#step-panel$"))
    await expect(page.locator("#step-panel")).to_contain_text("It failed as told.")
    await expect(page.locator("#step-panel pre").first).to_have_text("one\n")
    await check_accessible(page)
    await page.set_viewport_size(NARROW)
    await check_fits(page)
    await check_accessible(page)

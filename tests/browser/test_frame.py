"""What all pages have: the frame, keys, themes, errors, and that they follow what happens."""

import pytest
from playwright.async_api import Page, expect

from tests.browser.visits import NARROW, check_accessible, check_fits
from tests.integration.api_stage import Stage


async def test_a_task_appears_in_an_open_list_by_itself(page: Page, stage: Stage) -> None:
    await page.goto(stage.url)
    task_id = await stage.submit("print hello")
    row = page.locator(f'[data-id="task-{task_id}"]')
    await expect(row).to_contain_text("completed", timeout=60_000)


async def test_the_keyboard_moves_through_rows_and_opens_one(page: Page, stage: Stage) -> None:
    await stage.submit("print hello")
    await page.goto(stage.url)
    await page.keyboard.press("j")
    link = page.locator("[data-row] a").first
    await expect(link).to_be_focused()
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog")).to_contain_text("next, previous row")
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_be_hidden()


@pytest.mark.parametrize("context", [{"java_script_enabled": False}], indirect=True)
async def test_a_theme_stays_chosen_without_scripts(page: Page, stage: Stage) -> None:
    await page.goto(stage.url)
    await page.get_by_role("button", name="dark").click()
    await page.goto(stage.url)
    assert await page.locator("html").get_attribute("data-theme") == "dark"


async def test_a_page_that_is_not_there_says_so_as_a_page(page: Page, stage: Stage) -> None:
    answer = await page.goto(f"{stage.url}/no/such/page")
    assert answer is not None
    assert answer.status == 404
    await expect(page.get_by_role("heading", level=1)).to_have_text("Not Found")
    detail = page.locator("#problem .detail")
    await expect(detail).to_have_text("There is no page at /no/such/page.")
    await check_accessible(page)


async def test_the_list_fits_a_narrow_screen_and_axe_finds_nothing(
    page: Page, stage: Stage
) -> None:
    await page.set_viewport_size(NARROW)
    await page.goto(stage.url)
    await check_fits(page)
    await check_accessible(page)

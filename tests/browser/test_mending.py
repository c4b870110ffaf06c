"""A pipeline that is mended at the task that has failed with it."""

import asyncio

import pytest
from playwright.async_api import Locator, Page, Route, expect

from tests.browser.visits import NARROW, check_accessible, check_fits
from tests.integration.api_stage import Stage

UNSCRIPTED = [{"java_script_enabled": False}]


async def failed(stage: Stage) -> str:
    task_id = await stage.submit("print one", "fail", "print three")
    await stage.until(task_id, "failed")
    return task_id


async def opened(page: Page, stage: Stage, task_id: str) -> tuple[Locator, str]:
    """The page on which a task is mended: the field, and the pipeline in it."""
    await page.goto(f"{stage.url}/tasks/{task_id}/mend")
    field = page.get_by_label("Pipeline", exact=True)
    return field, await field.input_value()


async def answers_held(page: Page) -> tuple[asyncio.Event, asyncio.Event]:
    """Set when the page asks what a retry would do; and to be set, so that it is answered."""
    asked, answered = asyncio.Event(), asyncio.Event()

    async def hold(route: Route) -> None:
        asked.set()
        await answered.wait()
        await route.continue_()

    await page.route("**/mend", hold)
    return asked, answered


async def test_a_pipeline_is_mended_in_place_checked_as_it_is_typed_and_then_retried(
    page: Page, stage: Stage
) -> None:
    task_id = await failed(stage)
    await page.goto(f"{stage.url}/tasks/{task_id}")
    await page.get_by_role("link", name="Mend the pipeline").click()
    foresight = page.locator("#foresight")
    await expect(foresight.locator(".chip.good")).to_contain_text(["a"])
    await expect(foresight.locator(".chip.busy")).to_contain_text(["b", "c"])
    await check_accessible(page)
    field = page.get_by_label("Pipeline", exact=True)
    whole = await field.input_value()
    await field.fill(whole.replace("source: fail", "sauce: fail"))
    await expect(page.locator("#pipeline-problems")).to_contain_text("Line")
    await expect(page.locator("#pipeline-problems")).to_contain_text("step b")
    # From the first step that is another, as soon as the pipeline is right.
    await field.fill(whole.replace("print one", "print uno").replace("source: fail", "source: x"))
    await expect(foresight.locator(".chip.busy")).to_contain_text(["a", "b", "c"])
    await expect(foresight.locator(".chip.good")).to_have_count(0)
    await field.fill(whole.replace("source: fail", "source: print two"))
    await expect(foresight.locator(".chip.busy")).to_contain_text(["b", "c"])
    await foresight.get_by_role("button", name="Retry").click()
    await expect(page).to_have_url(f"{stage.url}/tasks/{task_id}")
    task = await stage.until(task_id, "completed")
    assert task["definition"]["steps"][1]["code"]["source"] == "print two"
    assert task["usage"]["attempts"] == 4  # a and c once, b twice


@pytest.mark.parametrize("context", UNSCRIPTED, indirect=True)
async def test_without_scripts_what_a_mended_pipeline_does_is_shown_before_it_is_done(
    page: Page, stage: Stage
) -> None:
    task_id = await failed(stage)
    field, whole = await opened(page, stage, task_id)
    await field.fill(whole.replace("source: fail", "sauce: fail"))
    await page.get_by_role("button", name="Show what will happen").click()
    await expect(page.locator("#pipeline-problems")).to_contain_text("Line")
    await expect(page.get_by_role("button", name="Retry")).to_have_count(0)
    await field.fill(whole.replace("source: fail", "source: print two"))
    await page.get_by_role("button", name="Show what will happen").click()
    await expect(page.locator("#foresight .chip.good")).to_contain_text(["a"])
    await expect(page.locator("#foresight")).to_contain_text("b: code changed")
    await page.get_by_role("button", name="Retry").click()
    await stage.until(task_id, "completed")


async def test_an_input_that_only_the_new_pipeline_has_is_asked_for(
    page: Page, stage: Stage
) -> None:
    task_id = await failed(stage)
    file = await stage.http.post("/files", files={"file": ("a.csv", b"a")})
    await page.set_viewport_size(NARROW)
    field, whole = await opened(page, stage, task_id)
    new = whole.replace("source: fail", "source: print INPUT_DATA")
    await field.fill(new.replace("steps:", "inputs: [data]\nsteps:", 1))
    await page.get_by_role("button", name="Show what will happen").click()
    given = page.get_by_label("Input data")
    await expect(given).to_be_visible()
    seen = page.locator("[name=seen]")
    before = await seen.input_value()
    await given.fill(f"file:{file.json()['id']}")
    await given.blur()
    # Who is quicker than the page is shown once more what will happen.
    await expect(seen).not_to_have_value(before)
    await check_fits(page)
    await page.locator("#foresight").get_by_role("button", name="Retry").click()
    task = await stage.until(task_id, "completed")
    assert list(task["inputs"]) == ["data"]


async def test_it_cannot_be_retried_while_the_answer_to_what_would_happen_is_on_its_way(
    page: Page, stage: Stage
) -> None:
    task_id = await failed(stage)
    await page.goto(f"{stage.url}/tasks/{task_id}/mend")
    run = page.locator("#foresight").get_by_role("button", name="Retry")
    await expect(run).to_be_enabled()
    asked, answered = await answers_held(page)
    await page.get_by_role("button", name="Show what will happen").click()
    await asked.wait()
    await expect(run).to_be_disabled()
    answered.set()
    await run.click()
    await expect(page).to_have_url(f"{stage.url}/tasks/{task_id}")


async def test_an_answer_to_what_was_there_before_does_not_let_a_retry_begin(
    page: Page, stage: Stage
) -> None:
    task_id = await failed(stage)
    field, whole = await opened(page, stage, task_id)
    asked, answered = await answers_held(page)
    await field.fill(whole.replace("source: fail", "source: print two"))
    await asked.wait()
    await field.fill(whole.replace("print one", "print uno").replace("source: fail", "source: x"))
    answered.set()
    # What is shown at last is of the last text.
    foresight = page.locator("#foresight")
    await expect(foresight).to_contain_text("a: code changed")
    await expect(foresight.get_by_role("button", name="Retry")).to_be_enabled()


async def test_a_task_that_is_no_pipeline_has_none_to_be_mended(page: Page, stage: Stage) -> None:
    task_id = await stage.submit("print one")
    await stage.until(task_id, "completed")
    await page.goto(f"{stage.url}/tasks/{task_id}")
    await expect(page.get_by_role("link", name="Mend the pipeline")).to_have_count(0)

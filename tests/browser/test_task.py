"""The page of a task: what happened when, what is selected, and what one can do."""

import re
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Page, expect

from tests.browser.visits import NARROW, check_accessible, check_fits
from tests.integration.api_stage import Stage, pipeline

HOSTILE = "<script>alert(1)</script>\u202egpj.exe" + "x" * 80
# What waits for the stage's API and worker, on a machine that is busy.
SLOW_MS = 60_000


@pytest.fixture
async def waiting(stage: Stage) -> AsyncIterator[Stage]:
    """Steps that are to wait do so until they are released."""
    stage.steps.released.clear()
    yield stage
    stage.steps.released.set()


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
    await expect(page.locator("#step-panel pre").first).to_have_text("one")
    await check_accessible(page)
    await page.set_viewport_size(NARROW)
    await check_fits(page)
    await check_accessible(page)


async def test_an_open_page_follows_the_task_to_its_end(page: Page, waiting: Stage) -> None:
    task_id = await waiting.submit("print one", "wait", "print two")
    await page.goto(f"{waiting.url}/tasks/{task_id}")
    rows = page.locator("#timeline [data-row]")
    await expect(rows.nth(1)).to_contain_text("running", timeout=SLOW_MS)
    await rows.nth(2).get_by_role("link").focus()
    waiting.steps.released.set()
    await expect(rows.nth(2)).to_contain_text("completed", timeout=SLOW_MS)
    await expect(page.locator("#task-header")).to_contain_text("completed", timeout=SLOW_MS)
    # Where the reader is stays, what is new is spoken, and the connection is closed.
    await expect(rows.nth(2).get_by_role("link")).to_be_focused()
    await expect(page.locator("#announcer")).to_have_text("test: completed")
    await expect(page.locator("main")).not_to_have_attribute("data-live", re.compile("."))
    await expect(page.get_by_role("link", name="Retry…")).to_be_visible()


async def test_the_duration_of_a_silent_task_goes_on(page: Page, waiting: Stage) -> None:
    task_id = await waiting.submit("wait")
    await waiting.until(task_id, "running")
    await page.goto(f"{waiting.url}/tasks/{task_id}")
    duration = page.locator("#task-header time.lasting")
    await expect(page.locator("#timeline")).to_contain_text("running", timeout=SLOW_MS)
    for _ in range(2):
        before = await duration.text_content()
        await expect(duration).not_to_have_text(before or "")


async def test_a_task_is_paused_and_goes_on_from_any_of_its_tabs(
    page: Page, waiting: Stage
) -> None:
    task_id = await waiting.submit("wait", "print two")
    await waiting.until(task_id, "running")
    await page.goto(f"{waiting.url}/tasks/{task_id}/inputs")
    await page.get_by_role("button", name="Pause").click()
    await expect(page.locator("#task-header")).to_contain_text("pauses before the next step")
    await expect(page).to_have_url(re.compile("/inputs$"))
    waiting.steps.released.set()
    await expect(page.locator("#task-header")).to_contain_text("paused", timeout=SLOW_MS)
    await page.get_by_role("button", name="Resume").click()
    await expect(page.locator("#task-header")).to_contain_text("completed", timeout=SLOW_MS)


async def test_a_task_is_cancelled_once_it_was_said_what_that_does(
    page: Page, waiting: Stage
) -> None:
    task_id = await waiting.submit("wait")
    await waiting.until(task_id, "running")
    await page.goto(f"{waiting.url}/tasks/{task_id}")
    await page.get_by_role("link", name="Cancel…").click()
    await expect(page.locator("main")).to_contain_text("Results of finished steps are kept")
    await check_accessible(page)
    await page.get_by_role("button", name="Cancel the task").click()
    await expect(page).to_have_url(f"{waiting.url}/tasks/{task_id}")
    await expect(page.locator("#task-header")).to_contain_text("cancelled", timeout=SLOW_MS)


async def test_a_failed_task_is_retried_from_a_step_after_a_plain_statement(
    page: Page, stage: Stage
) -> None:
    task_id = await stage.submit("print one", "fail", "print three")
    await stage.until(task_id, "failed", "blocked")
    await page.goto(f"{stage.url}/tasks/{task_id}")
    # What went wrong is selected from the beginning.
    await expect(page.locator("#step-panel h2")).to_have_text("b")
    await page.get_by_role("link", name="Retry…").click()
    said = page.locator("#foresight")
    await expect(said).to_contain_text("2 steps run again, 1 keeps its result")
    await page.get_by_label("Begin with").select_option("a")
    await page.get_by_role("button", name="Show what would run").click()
    await expect(said).to_contain_text("3 steps run again, 0 keep")
    await expect(page).to_have_url(re.compile(r"\?from=a$"))
    await check_accessible(page)
    await page.get_by_role("button", name="Retry from a").click()
    await expect(page).to_have_url(f"{stage.url}/tasks/{task_id}")
    task = await stage.once(task_id, lambda task: task["run"] == 2)
    assert task["run"] == 2


async def test_a_place_from_which_a_task_cannot_be_retried_is_refused_in_place(
    page: Page, stage: Stage
) -> None:
    task_id = await stage.submit("fail", "print two")
    await stage.until(task_id, "failed", "blocked")
    await page.goto(f"{stage.url}/tasks/{task_id}/retry?from=b")
    await expect(page.locator("#foresight")).to_have_count(0)
    await expect(page.locator("main .problem")).to_contain_text("a")
    await expect(page.get_by_label("Begin with")).to_have_value("b")


async def test_a_task_is_deleted_once_it_was_said_what_goes_with_it(
    page: Page, stage: Stage
) -> None:
    task_id = await stage.submit("file a.html hello")
    await stage.until(task_id, "completed")
    await page.goto(f"{stage.url}/tasks/{task_id}")
    await page.get_by_text("More", exact=True).click()
    await page.get_by_role("link", name="Delete…").click()
    await expect(page.locator("main")).to_contain_text("and 1 file")
    await page.get_by_role("button", name="Delete for good").click()
    await expect(page).to_have_url(f"{stage.url}/")
    assert (await stage.http.get(f"/tasks/{task_id}")).status_code == 404


async def test_a_task_is_shown_beside_the_last_good_run_of_its_name(
    page: Page, stage: Stage
) -> None:
    for source in ("print 1\nfile a.html longer", "print 2\nfile a.html short\nfail"):
        definition = {**pipeline(source), "name": "compared"}
        answer = await stage.http.post("/tasks", json={"pipeline": definition})
        task_id = answer.json()["task_id"]
        await stage.until(task_id, "completed", "failed", "blocked")
    await page.goto(f"{stage.url}/tasks/{task_id}/comparison")
    await expect(page.locator("#compared")).to_contain_text("The last good run of its name")
    await expect(page.locator(".values")).to_contain_text("/pipeline/steps/0/code/source")
    await expect(page.locator("tr.differs")).to_have_count(2)
    await check_accessible(page)


@pytest.mark.parametrize("part", ["graph", "inputs", "comparison", "raw", "delete", "retry"])
async def test_each_part_of_a_task_fits_a_narrow_screen_and_axe_finds_nothing(
    page: Page, stage: Stage, part: str
) -> None:
    answer = await stage.http.post("/files", files={"file": ("sales.csv", b"a,b\n1,2\n")})
    code = {"language": "shell", "source": "print x"}
    steps = [{"id": "a", "code": code, "args": ["${inputs.sales}"]}, {"id": "b", "code": code}]
    definition = {"name": "parts", "inputs": ["sales"], "steps": steps}
    inputs = {"sales": f"file:{answer.json()['id']}"}
    made = await stage.http.post("/tasks", json={"pipeline": definition, "inputs": inputs})
    task_id = made.json()["task_id"]
    await stage.until(task_id, "completed")
    await page.set_viewport_size(NARROW)
    await page.emulate_media(color_scheme="dark")
    await page.goto(f"{stage.url}/tasks/{task_id}/{part}")
    await check_fits(page)
    await check_accessible(page)
    if part == "inputs":
        await expect(page.get_by_role("link", name="sales.csv")).to_be_visible()


async def test_a_click_in_the_graph_selects_a_step(page: Page, stage: Stage) -> None:
    task_id = await stage.submit("print one", "print two")
    await stage.until(task_id, "completed")
    await page.goto(f"{stage.url}/tasks/{task_id}/graph")
    await page.locator("#graph a").nth(1).click()
    await expect(page).to_have_url(re.compile(r"\?step=b$"))
    await expect(page.locator("#step-panel h2")).to_have_text("b")
    await expect(page.locator("#graph .is-selected")).to_have_count(1)


async def test_steps_are_reached_and_opened_by_keys(page: Page, stage: Stage) -> None:
    task_id = await stage.submit("print one", "print two")
    await stage.until(task_id, "completed")
    await page.goto(f"{stage.url}/tasks/{task_id}")
    for key in ("j", "j", "Enter"):
        await page.keyboard.press(key)
    await expect(page.locator("#step-panel h2")).to_have_text("b")


async def test_names_and_words_of_others_cannot_do_anything_to_the_page(
    page: Page, stage: Stage
) -> None:
    source = f"print {HOSTILE}\nprint \x1b[31mred\nfail"
    definition = {**pipeline(source), "name": HOSTILE}
    answer = await stage.http.post("/tasks", json={"pipeline": definition})
    task_id = answer.json()["task_id"]
    await stage.until(task_id, "failed", "blocked")
    for part in ("", "/graph", "/comparison", "/raw", "/retry", "/delete"):
        await page.goto(f"{stage.url}/tasks/{task_id}{part}")
        await expect(page.get_by_role("heading", level=1)).to_contain_text("<script>")
        assert await page.locator("main script").count() == 0
    await page.set_viewport_size(NARROW)
    await page.goto(f"{stage.url}/tasks/{task_id}?step=%3Cscript%3E")
    await expect(page.locator("#step-panel")).to_contain_text("has nothing of this name")
    await check_fits(page)


@pytest.mark.parametrize("context", [{"java_script_enabled": False}], indirect=True)
async def test_everything_can_be_seen_and_done_without_scripts(page: Page, stage: Stage) -> None:
    task_id = await stage.submit("print one", "fail")
    await stage.until(task_id, "failed", "blocked")
    await page.goto(f"{stage.url}/tasks/{task_id}?step=a")
    await expect(page.locator("#step-panel pre")).to_have_text("one")
    await page.get_by_text("More", exact=True).click()
    await expect(page.locator("#copy-command")).to_have_text(f"agentos show {task_id}")
    await expect(page.locator("#copy-curl")).to_contain_text(f"/api/v1/tasks/{task_id}")
    await page.get_by_role("link", name="Retry from here…").click()
    await page.get_by_role("button", name="Retry from a").click()
    await expect(page).to_have_url(f"{stage.url}/tasks/{task_id}")
    assert (await stage.task(task_id))["run"] == 2


async def test_what_was_submitted_can_be_downloaded(stage: Stage) -> None:
    task_id = await stage.submit("print one")
    answer = await stage.http.get(f"{stage.url}/tasks/{task_id}/definition.yaml")
    assert answer.text.startswith("name: test\nsteps:\n  - id: a\n")
    assert f"pipeline-{task_id}.yaml" in answer.headers["content-disposition"]

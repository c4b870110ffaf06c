"""The page of a plan and of an agent: a plan that grows, and what was done as a pipeline."""

import re

from playwright.async_api import Page, expect

from tests.browser.visits import check_accessible
from tests.doubles.scripted_models import Held, ScriptedModels, asks, finishes
from tests.live import Live

SLOW_MS = 90_000


def node(name: str, *before: str) -> dict[str, object]:
    code = {"language": "python", "source": "print(1)"}
    return {
        "id": name,
        "title": f"Do {name}",
        "description": name,
        "kind": "pipeline",
        "depends_on": list(before),
        "steps": [{"id": "a", "code": code}],
        "why": "it",
    }


async def test_a_plan_grows_on_an_open_page(page: Page, live: Live, models: ScriptedModels) -> None:
    nodes = [node("one"), node("two"), node("three", "one", "two")]
    planned = Held(asks(("make_plan", {"nodes": nodes, "reason": "two at once"})))
    talk = models.conversation(planned, finishes())
    plan_id = await live.submit_plan(talk.prompt())
    await planned.begun.wait()
    await page.goto(f"{str(live.http.base_url).rstrip('/')}/tasks/{plan_id}")
    await expect(page.locator("#graph")).to_have_count(0)
    planned.go_on.set()
    drawn = page.locator("#graph a.node")
    await expect(drawn).to_have_count(3, timeout=SLOW_MS)
    await expect(page.locator("#graph a.node.good")).to_have_count(3, timeout=SLOW_MS)
    # An edge from each of the two to the third.
    await expect(page.locator("#graph path.edge.is-done")).to_have_count(2)
    await drawn.nth(2).click()
    await expect(page.locator("#step-panel h2")).to_have_text("Do three")
    await expect(page.locator('#timeline [data-id="row-three/a"]')).to_be_visible()
    await expect(page.locator("#result")).to_contain_text("Result", timeout=SLOW_MS)
    await check_accessible(page)
    # From the plan to the task of a node, and back.
    await page.get_by_role("link", name="Open its task").click()
    await expect(page.locator("#task-header")).to_contain_text("pipeline")
    await expect(page.get_by_role("link", name="Retry…")).to_have_count(0)
    await page.get_by_role("link", name="Plan", exact=True).click()
    await expect(page).to_have_url(f"{str(live.http.base_url).rstrip('/')}/tasks/{plan_id}")
    await page.get_by_role("link", name="Graph").click()
    await expect(page.locator("#plan-facts")).to_contain_text("Tokens")
    await check_accessible(page)


async def test_what_an_agent_did_is_shown_as_a_pipeline(
    page: Page, live: Live, models: ScriptedModels
) -> None:
    written = ("write_file", {"name": "a.txt", "text": "hello"})
    talk = models.conversation(asks(written), finishes("It is written."))
    task = await live.run_agent(talk.prompt())
    await page.goto(f"{str(live.http.base_url).rstrip('/')}/tasks/{task['task_id']}")
    rows = page.locator("#timeline [data-row]")
    await expect(rows.first).to_contain_text("turn 1")
    await expect(rows.first.locator("rect.llm")).to_have_count(1)
    await page.get_by_role("link", name="Make a pipeline").click()
    await expect(page).to_have_url(re.compile("/compile$"))
    await expect(page.locator("#compiled")).to_contain_text("steps:")
    await check_accessible(page)

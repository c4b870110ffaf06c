"""The page of the API's calls: whole, ours alone, and one can try them."""

import pytest
from playwright.async_api import ConsoleMessage, Page, Request, expect

from tests.integration.api_stage import Stage


@pytest.mark.parametrize("context", [{"color_scheme": "dark"}], indirect=True)
async def test_calls_are_read_and_tried_and_nothing_comes_from_elsewhere(
    page: Page, stage: Stage
) -> None:
    said: list[str] = []
    asked: list[str] = []

    def on_console(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            said.append(message.text)

    def on_request(request: Request) -> None:
        asked.append(request.url)

    page.on("console", on_console)
    page.on("request", on_request)
    await page.goto(stage.url)
    await page.get_by_role("contentinfo").get_by_role("link", name="API").click()
    # It draws all calls first: two seconds of a processor.
    await page.locator("#operations-tag-tasks").click(timeout=90_000)
    assert await page.locator("html").evaluate("html => html.classList.contains('dark-mode')")
    call = page.locator("#operations-tasks-listTasks")
    await call.locator(".opblock-summary-control").click()
    await call.get_by_role("button", name="Try it out").click()
    await call.get_by_role("button", name="Execute").click()
    answer = call.locator(".live-responses-table .response")
    await expect(answer.locator(".response-col_status")).to_contain_text("200")
    await expect(answer).to_contain_text("next_cursor")
    assert said == []
    assert [url for url in asked if not url.startswith((stage.url, "data:"))] == []

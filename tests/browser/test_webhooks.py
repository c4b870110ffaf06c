"""The pages of webhooks: what a person does there."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Page, expect

from tests.browser.visits import NARROW, check_accessible, check_fits
from tests.doubles.webhook_receiver import Receiver, webhook_receiver
from tests.integration.api_stage import Stage

UNSCRIPTED = [{"java_script_enabled": False}]


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with webhook_receiver() as receiver:
        yield receiver


@pytest.fixture(autouse=True)
async def _none_is_left(stage: Stage) -> AsyncIterator[None]:
    yield
    for hook in (await stage.http.get("/webhooks")).json()["items"]:
        await stage.http.delete(f"/webhooks/{hook['id']}")


async def test_a_webhook_is_made_told_and_what_it_was_told_is_sent_again(
    page: Page, stage: Stage, receiver: Receiver
) -> None:
    await page.goto(f"{stage.url}/webhooks")
    await expect(page.get_by_role("heading", name="No webhook yet")).to_be_visible()
    await check_accessible(page)
    await page.get_by_label("URL").fill(receiver.url())
    await page.get_by_role("button", name="Make the webhook").click()
    secret = await page.locator("#secret").text_content() or ""
    assert secret.startswith("whsec_")
    await check_accessible(page)
    await page.get_by_role("link", name="I have it").click()
    assert secret not in await page.content()
    await stage.submit("print x")
    [first] = await receiver.once(1)
    first.verified(secret)
    await page.goto(f"{stage.url}/webhooks/deliveries")
    await expect(page.locator("[data-row]").first).to_contain_text("delivered")
    await check_accessible(page)
    await page.get_by_role("link", name="task.completed").first.click()
    await check_accessible(page)
    await page.get_by_role("button", name="Send again").click()
    [_, again] = await receiver.once(2)
    assert again.id == first.id
    await expect(page.locator("#delivery tbody tr")).to_have_count(2)


@pytest.mark.parametrize("context", UNSCRIPTED, indirect=True)
async def test_without_scripts_a_webhook_is_switched_off_and_deleted(
    page: Page, stage: Stage, receiver: Receiver
) -> None:
    made = (await stage.http.post("/webhooks", json={"url": receiver.url()})).json()
    await page.goto(f"{stage.url}/webhooks")
    await page.get_by_role("button", name="Switch off").click()
    await expect(page.locator("#hooks")).to_contain_text("off")
    assert not (await stage.http.get(f"/webhooks/{made['id']}")).json()["is_active"]
    await page.get_by_role("link", name="Delete").click()
    await expect(page.get_by_text("is told nothing more")).to_be_visible()
    await page.get_by_role("button", name="Delete the webhook").click()
    await expect(page.get_by_role("heading", name="No webhook yet")).to_be_visible()


async def test_a_url_that_cannot_be_is_refused_beside_its_field(page: Page, stage: Stage) -> None:
    await page.goto(f"{stage.url}/webhooks")
    await page.get_by_label("URL").fill("https://user@example.org/")
    await page.get_by_role("button", name="Make the webhook").click()
    await expect(page.locator("#url-problem")).to_contain_text("a user or a fragment")
    await expect(page.get_by_label("URL")).to_have_value("https://user@example.org/")


async def test_a_receiver_that_fails_shows_its_answer_as_text_on_a_narrow_screen(
    page: Page, stage: Stage, receiver: Receiver
) -> None:
    receiver.answer = lambda _: 500
    await stage.http.post(
        "/webhooks", json={"url": receiver.url("/<img src=x>".replace(" ", "%20"))}
    )
    await stage.submit("print x")
    await receiver.once(1)
    await page.set_viewport_size(NARROW)
    await page.emulate_media(color_scheme="dark")
    for path in ("/webhooks", "/webhooks/deliveries", "/webhooks/secret"):
        await page.goto(f"{stage.url}{path}")
        await check_fits(page)
        await check_accessible(page)
    await page.goto(f"{stage.url}/webhooks/deliveries")
    await page.locator("[data-row] a").first.click()
    await expect(page.locator("#delivery")).to_contain_text("500")
    await check_fits(page)
    await check_accessible(page)
    assert await page.locator("main img").count() == 0


async def test_the_secret_of_callbacks_is_made_after_it_was_said_what_that_does(
    page: Page, stage: Stage
) -> None:
    await page.goto(f"{stage.url}/webhooks")
    await page.get_by_role("link", name="Make their secret…").click()
    await expect(page.get_by_text("If there was one before, it is replaced")).to_be_visible()
    await page.get_by_role("button", name="Make the secret").click()
    await expect(page.locator("#secret")).to_contain_text("whsec_")

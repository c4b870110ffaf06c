"""The conversation of an agent's task, while it goes on and afterwards."""

import asyncio

import pytest
from playwright.async_api import Page, expect

from tests.browser.addresses import page_of
from tests.browser.visits import NARROW, check_accessible, check_fits
from tests.doubles.model_server import Exchange, delta, usage
from tests.doubles.scripted_models import ScriptedModels, asks, finishes
from tests.live import Live
from tests.unit.api.web.text.hostile import HOSTILE


class Slow:
    """An answer that stops after its first words until ``go_on`` is set."""

    def __init__(self, first: str, rest: str) -> None:
        self._first, self._rest = first, rest
        self.go_on = asyncio.Event()

    async def __call__(self, exchange: Exchange) -> None:
        await exchange.head()
        await exchange.event(delta(content=self._first))
        await self.go_on.wait()
        await exchange.event(delta(content=self._rest))
        await exchange.event(delta("stop"))
        await exchange.event(usage(10, 5))
        await exchange.event("[DONE]")
        await exchange.end()


def address(live: Live, task_id: str) -> str:
    return page_of(live, f"/tasks/{task_id}/conversation")


async def test_text_appears_while_it_is_said_and_is_drawn_once_it_is_complete(
    page: Page, live: Live, models: ScriptedModels
) -> None:
    slow = Slow("I will **think", "** about it.")
    talk = models.conversation(slow, finishes("Thought."))
    task_id = await live.submit_agent(talk.prompt())
    await page.goto(address(live, task_id))
    streaming = page.locator("#streaming")
    await expect(streaming).to_contain_text("I will **think")
    await page.reload()  # Whoever comes later sees what was said before.
    await expect(streaming).to_contain_text("I will **think")
    await check_accessible(page)
    slow.go_on.set()
    await expect(page.locator(".bubble.model strong")).to_have_text("think")
    await expect(streaming).to_be_hidden()
    await expect(page.locator(".call", has_text="finish")).to_be_visible()


async def test_words_of_an_answer_that_breaks_off_are_withdrawn(
    page: Page, live: Live, models: ScriptedModels
) -> None:
    breaks = asyncio.Event()

    async def break_off(exchange: Exchange) -> None:
        await exchange.head()
        await exchange.event(delta(content="Wrong words"))
        await breaks.wait()
        exchange.drop()

    slow = Slow("Right words", ".")
    talk = models.conversation(break_off, slow, finishes())
    task_id = await live.submit_agent(talk.prompt())
    await page.goto(address(live, task_id))
    await expect(page.locator("#streaming")).to_contain_text("Wrong words")
    breaks.set()
    await expect(page.locator("#streaming [data-words]")).to_have_text("Right words")
    slow.go_on.set()
    await expect(page.locator(".bubble.model").first).to_contain_text("Right words.")


async def test_calls_stand_with_their_arguments_results_and_cost(
    page: Page, live: Live, models: ScriptedModels
) -> None:
    code = {"language": "python", "source": "print('\\x1b[31mred\\x1b[0m')"}
    talk = models.conversation(asks(("run_code", code), text="I **run** it."), finishes("Done."))
    task = await live.run_agent(talk.prompt("Run it."))
    await page.goto(address(live, task["task_id"]))
    await expect(page.locator(".bubble.person")).to_contain_text("Run it.")
    await expect(page.get_by_text("15 tokens").first).to_be_visible()
    call = page.locator(".call", has_text="run_code")
    await expect(call.get_by_role("group", name="Arguments")).to_be_hidden()
    await call.locator("summary").click()
    await expect(call.get_by_role("group", name="Arguments")).to_contain_text(
        '"language": "python"'
    )
    await expect(call.get_by_role("group", name="Result")).to_contain_text("red")
    await page.locator(".bubble.system > summary").click()
    await expect(page.locator(".bubble.system")).to_contain_text("You work on a task")
    await check_accessible(page)
    await page.set_viewport_size(NARROW)
    await check_fits(page)
    await page.emulate_media(color_scheme="dark")
    await check_accessible(page)


@pytest.mark.parametrize("context", [{"java_script_enabled": False}], indirect=True)
async def test_a_conversation_can_be_read_without_scripts(
    page: Page, live: Live, models: ScriptedModels
) -> None:
    talk = models.conversation(finishes("Done."))
    task = await live.run_agent(talk.prompt())
    await page.goto(address(live, task["task_id"]))
    await page.locator(".call summary").click()
    await expect(page.get_by_role("group", name="Arguments")).to_contain_text("Done.")


async def test_hostile_words_of_a_model_run_nothing(
    page: Page, live: Live, models: ScriptedModels
) -> None:
    words = "\n\n".join(text for text in HOSTILE if text.isprintable())
    talk = models.conversation(
        asks(("run_code", {"language": "python", "source": words}), text=words), finishes(words)
    )
    task = await live.run_agent(talk.prompt())
    await page.goto(address(live, task["task_id"]))
    await expect(page.locator(".bubble.model").first).to_contain_text("alert(1)")
    assert (
        await page.locator("main :is(script, iframe, svg, style, form[action*=evil])").count() == 0
    )
    await check_accessible(page)


async def test_an_agent_at_work_is_told_something_and_the_page_says_whether_it_was_read(
    page: Page, live: Live, models: ScriptedModels
) -> None:
    slow = Slow("Let me", " see.")
    talk = models.conversation(slow, finishes("Done."))
    task_id = await live.submit_agent(talk.prompt())
    await page.goto(address(live, task_id))
    await expect(page.locator("#streaming")).to_contain_text("Let me")
    box = page.get_by_label("Tell it something")
    words = ["Leave out **2007**.", "And 2008."]
    for text in words:
        await box.fill(text)
        await page.get_by_role("button", name="Send").click()
        await expect(box).to_have_value("")
    unread = page.locator("#unread")
    await expect(unread.locator("strong")).to_have_text("2007")
    await expect(unread.locator(".bubble")).to_have_count(2)
    await check_accessible(page)
    slow.go_on.set()
    await expect(page.locator("#said .bubble.person", has_text="And 2008.")).to_be_visible()
    await expect(unread.locator(".bubble")).to_have_count(0)
    said = [message["content"] for message in talk.messages(-1) if message["role"] == "user"]
    assert [text for text in said if text in words] == words

"""A conversation with an agent that stays, in a browser."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Page, Route, expect

from activities.tools.toolbox import REMEMBERED_SECONDS
from tests.browser.visits import NARROW, check_accessible, check_fits
from tests.doubles.model_server import Act, Exchange, delta, usage
from tests.doubles.scripted_models import Endless, Held, ScriptedModels, asks
from tests.live import Live
from tests.live_agents import LiveAgent, live_agent


@asynccontextmanager
async def _chatting(
    page: Page, live: Live, models: ScriptedModels, *answers: Act
) -> AsyncIterator[LiveAgent]:
    """A new agent that gives these answers, and its page."""
    agent = await live_agent(live, models.conversation(*answers))
    await page.goto(_page_of(agent))
    yield agent


def _page_of(agent: LiveAgent) -> str:
    return f"{agent.live.services.api_url}/agents/{agent.id}"


async def _say(page: Page, text: str) -> None:
    await page.get_by_label("Message", exact=True).fill(text)
    await page.keyboard.press("Enter")


async def test_an_answer_streams_and_then_stands_as_it_was_said(
    page: Page, live: Live, models: ScriptedModels
) -> None:
    go_on = asyncio.Event()

    async def slowly(exchange: Exchange) -> None:
        await exchange.head()
        await exchange.event(delta(content="It began"))
        await go_on.wait()
        await exchange.event(delta(content=" and ended **well**."))
        await exchange.event(delta("stop"))
        await exchange.event(usage(10, 5))
        await exchange.event("[DONE]")
        await exchange.end()

    async with _chatting(page, live, models, slowly):
        await expect(page.get_by_role("heading", name="Nothing was said yet")).to_be_visible()
        await _say(page, "Tell me a story.")
        await expect(page.get_by_label("Message", exact=True)).to_have_value("")
        running = page.locator("#running")
        await expect(running).to_contain_text("It began")
        await check_accessible(page)
        go_on.set()
        reply = page.locator("#transcript [data-reply-of]")
        await expect(reply.locator("strong")).to_have_text("well")
        await expect(running).to_be_hidden()
        await expect(page.locator("#strip")).to_contain_text("idle")
        assert (await page.locator("main").inner_text()).count("It began") == 1


async def test_a_call_is_folded_while_it_runs_and_afterwards(
    page: Page, live: Live, models: ScriptedModels
) -> None:
    noted = asks(("remember", {"text": "The year begins in April."}), text="Let me note that.")
    endless = Endless("I have noted ", "it")
    async with _chatting(page, live, models, noted, endless):
        await _say(page, "Remember that.")
        call = page.locator("#running details.call")
        await expect(call).to_contain_text("remember")
        await expect(call.get_by_label("Arguments")).to_be_hidden()
        await call.locator("summary").click()
        await expect(call.get_by_label("Arguments")).to_contain_text("April")
        await expect(page.locator("#running")).to_contain_text("I have noted it")
        await page.get_by_role("button", name="Interrupt", exact=True).click()
        reply = page.locator("#transcript [data-reply-of]")
        await expect(reply).to_contain_text("cut short")
        await reply.locator("details.turn > summary").click()
        folded = reply.locator("details.call")
        await expect(folded).to_contain_text("remember")
        await folded.locator("summary").click()
        await expect(folded.get_by_label("Arguments")).to_contain_text("April")
        await check_accessible(page)


async def test_a_page_that_is_loaded_again_in_mid_turn_shows_the_whole_text_once(
    page: Page, live: Live, models: ScriptedModels
) -> None:
    endless = Endless("First ", "second ", "third.")
    async with _chatting(page, live, models, endless):
        await _say(page, "Count.")
        await expect(page.locator("#running")).to_contain_text("First second third.")
        await page.reload()
        running = page.locator("#running")
        await expect(running).to_contain_text("First second third.")
        assert (await running.inner_text()).count("First") == 1
        await page.get_by_role("button", name="Interrupt", exact=True).click()
        await expect(page.locator("[data-reply-of]")).to_contain_text("First second third.")
        await expect(running).to_be_hidden()


async def test_a_message_that_waits_can_be_withdrawn_and_another_interrupts(
    page: Page, live: Live, models: ScriptedModels
) -> None:
    async with _chatting(page, live, models, Endless("On and on"), asks(text="As you like.")):
        await _say(page, "Begin.")
        await expect(page.locator("#running")).to_contain_text("On and on")
        await _say(page, "Never to be read.")
        queue = page.locator("#queue")
        await expect(queue).to_contain_text("Never to be read.")
        await queue.get_by_role("button", name="Withdraw").click()
        await expect(queue).to_be_empty()
        await page.get_by_label("Interrupt its answer").check()
        await _say(page, "Stop that.")
        replies = page.locator("[data-reply-of]")
        await expect(replies).to_have_count(2)
        await expect(replies.last).to_contain_text("As you like.")
        await expect(page.locator("main")).not_to_contain_text("Never to be read.")


_DROP = """() => {
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File(["dropped"], "notes.txt", {type: "text/plain"}));
    document.dispatchEvent(new DragEvent("drop", {dataTransfer, cancelable: true}));
}"""


async def test_files_are_attached_by_choosing_or_dropping_them(
    page: Page, live: Live, models: ScriptedModels
) -> None:
    async with _chatting(page, live, models, asks(text="Thank you.")) as agent:
        file = {"name": "May sales.csv", "mimeType": "text/csv", "buffer": b"a,b\n1,2\n"}
        await page.locator("[data-files]").set_input_files(file)  # type: ignore[arg-type]
        await expect(page.get_by_label("Remove May sales.csv")).to_be_visible()
        await page.evaluate(_DROP)
        await expect(page.get_by_label("Remove notes.txt")).to_be_visible()
        await _say(page, "Here they are.")
        await agent.replied("Thank you.")
        files = page.locator("#transcript").get_by_label("Files")
        await expect(files).to_contain_text("May_sales")
        address = await files.get_by_role("link", name="notes").get_attribute("href")
        answer = await live.http.get(address or "")
        assert answer.text == "dropped"


async def test_an_agent_is_answered_in_place_when_it_asks(
    page: Page, live: Live, models: ScriptedModels
) -> None:
    question = asks(("ask_human", {"question": "Which year?"}), text="Let me ask.")
    async with _chatting(page, live, models, question, asks(text="Thank you.")):
        await _say(page, "When was it?")
        asked = page.get_by_label("Waits for you")
        await expect(asked).to_contain_text("Which year?")
        await check_accessible(page)
        await asked.get_by_label("Your answer").fill("1984")
        await asked.get_by_role("button", name="Answer").click()
        await expect(page.locator("[data-reply-of]")).to_contain_text("Thank you.")
        await expect(asked).to_be_hidden()


async def test_an_open_chat_catches_up_when_the_api_was_killed(
    page: Page, live: Live, models: ScriptedModels
) -> None:
    held = Held(asks(text="I was there all the time."))
    async with _chatting(page, live, models, held) as agent:
        await agent.send("Are you there?")
        await held.begun.wait()
        killed = live.kill("api")
        held.go_on.set()
        await live.recovered("api", killed)
        reply = page.locator("[data-reply-of]")
        await expect(reply).to_contain_text("I was there all the time.", timeout=60_000)
        await expect(page.locator("#running")).to_be_hidden()


async def test_what_a_failed_turn_was_to_answer_is_read_again_after_a_restart(
    page: Page, live: Live, models: ScriptedModels
) -> None:
    async with _chatting(page, live, models) as agent:
        await _say(page, "Hello?")
        strip = page.locator("#strip")
        await expect(strip).to_contain_text("the script is at its end")
        await check_accessible(page)
        agent.talk.answers.append(asks(text="Hello."))
        await page.get_by_role("button", name="Restart", exact=True).click()
        await expect(page.locator("[data-reply-of]")).to_contain_text("Hello.")
        await expect(strip).to_contain_text("idle")


async def test_a_long_chat_opens_at_its_end_and_leads_back(
    page: Page, live: Live, models: ScriptedModels
) -> None:
    agent = await live_agent(live, models.conversation(asks(text="Enough.")))
    await agent.do("pause")
    for number in range(40):
        await agent.send(f"Message number {number}.")
    await agent.do("resume")
    await agent.replied("Enough.")
    await page.goto(_page_of(agent))
    await expect(page.locator("[data-reply-of]")).to_be_in_viewport()
    await expect(page.locator("main")).not_to_contain_text("Message number 3.")
    await page.get_by_role("link", name="What was said before").click()
    await expect(page.locator("main")).to_contain_text("Message number 3.")
    await check_accessible(page)
    await page.get_by_role("link", name="What was said last").click()
    await expect(page.locator("main")).to_contain_text("Enough.")


@pytest.mark.parametrize("context", [{"java_script_enabled": False}], indirect=True)
async def test_a_chat_works_without_scripts(page: Page, live: Live, models: ScriptedModels) -> None:
    async with _chatting(page, live, models, asks(text="Without any.")) as agent:
        file = {"name": "plain.txt", "mimeType": "text/plain", "buffer": b"plain"}
        await page.locator("[data-files]").set_input_files(file)  # type: ignore[arg-type]
        await page.get_by_label("Message", exact=True).fill("Do you need scripts?")
        await page.get_by_role("button", name="Send").click()
        await expect(page.locator("#transcript, #queue").first).to_be_attached()
        await agent.replied("Without any.")
        await page.reload()
        await expect(page.locator("[data-reply-of]")).to_contain_text("Without any.")
        await expect(page.locator("main")).to_contain_text("plain")
        assert (await page.locator("main").inner_text()).count("Do you need scripts?") == 1


async def test_a_chat_is_held_with_the_keyboard_alone(
    page: Page, live: Live, models: ScriptedModels
) -> None:
    async with _chatting(page, live, models, asks(text="Heard.")):
        await page.keyboard.press("/")
        await page.keyboard.type("One line")
        await page.keyboard.press("Shift+Enter")
        await page.keyboard.type("and another")
        await page.keyboard.press("Enter")
        await expect(page.locator("[data-reply-of]")).to_contain_text("Heard.")
        message = page.locator("#transcript .person")
        await expect(message).to_contain_text("One line\nand another", use_inner_text=True)


_HOSTILE = (
    "<script>document.title = 'taken'</script>"
    '<img src=x onerror="document.title=1"> \u202egpj.exe\u2066 [x](javascript:alert(1)) \u0007'
)


async def test_hostile_words_and_names_do_nothing(
    page: Page, live: Live, models: ScriptedModels
) -> None:
    huge = _HOSTILE + "x" * 1_000_000
    called = asks(("remember", {"text": _HOSTILE}), text=_HOSTILE)
    async with _chatting(page, live, models, called, asks(text=huge)) as agent:
        name = f"<b>{agent.name}</b>\u05d0"
        answer = await live.http.patch(f"/api/v1/agents/{agent.id}", json={"name": name})
        assert answer.status_code == 200, answer.text
        await page.reload()
        await _say(page, _HOSTILE)
        reply = page.locator("[data-reply-of]")
        await expect(reply).to_contain_text("<script>", timeout=60_000)
        await reply.locator("details.turn > summary").click()
        await expect(reply.locator("details.call")).to_be_visible()
        await expect(reply.get_by_role("link", name="all of it").first).to_be_visible()
        assert await page.locator("main script, main img, main b b").count() == 0
        assert "taken" not in await page.title()
        said = await page.locator("#transcript .said").all_inner_texts()
        assert "\u202e" not in "".join(said)
        assert len(await page.content()) < 150_000
        await page.set_viewport_size(NARROW)
        await check_fits(page)
        await check_accessible(page)


@pytest.mark.parametrize("context", [{"color_scheme": "dark"}], indirect=True)
async def test_a_chat_in_the_dark_fits_a_narrow_screen(
    page: Page, live: Live, models: ScriptedModels
) -> None:
    text = (
        "A table:\n\n| a | b |\n|---|---|\n| " + "wide " * 40 + "| 2 |\n\n```python\nprint(1)\n```"
    )
    async with _chatting(page, live, models, asks(text=text)):
        await page.set_viewport_size(NARROW)
        await _say(page, "Draw.")
        await expect(page.locator("[data-reply-of] table")).to_be_visible()
        await check_fits(page)
        await check_accessible(page)


async def test_files_of_an_answer_are_links_beneath_it(
    page: Page, live: Live, models: ScriptedModels
) -> None:
    made = asks(("write_file", {"name": "report.txt", "text": "All is well."}))
    async with _chatting(page, live, models, made, asks(text="There it is.")) as agent:
        await _say(page, "Write a report.")
        reply = page.locator("[data-reply-of]")
        await expect(reply).to_contain_text("There it is.")
        link = reply.get_by_label("Files that it made").get_by_role("link", name="report.txt")
        address = await link.get_attribute("href")
        assert (await agent.live.http.get(address or "")).text == "All is well."
        await expect(reply.locator("details.turn > summary")).to_contain_text("2 steps")
        await expect(reply.locator("details.turn > summary")).to_contain_text("tokens")


async def test_words_that_are_withdrawn_and_said_again_stand_there_once(
    page: Page, live: Live, models: ScriptedModels
) -> None:
    async def breaks(exchange: Exchange) -> None:
        await exchange.head()
        await exchange.event(delta(content="Half of it"))
        await asyncio.sleep(1)
        exchange.drop()

    async with _chatting(page, live, models, breaks, Endless("Half of it", ", and the rest.")):
        await _say(page, "Say it.")
        running = page.locator("#running")
        await expect(running).to_contain_text("Half of it, and the rest.")
        assert (await running.inner_text()).count("Half of it") == 1


async def test_a_call_that_wants_approval_is_shown_whole_and_denied_in_place(
    page: Page, live: Live, models: ScriptedModels
) -> None:
    tool = "/api/v1/tools/list_reminders"
    assert (await live.http.patch(tool, json={"permission_level": "ask"})).is_success
    await asyncio.sleep(REMEMBERED_SECONDS)  # So long a worker may go by what was.
    try:
        called = asks(("list_reminders", {}), text="May I?")
        async with _chatting(page, live, models, called, asks(text="Then not.")) as agent:
            await _say(page, "Look what there is.")
            asked = page.get_by_label("Waits for you")
            await expect(asked).to_contain_text("wants your approval")
            await expect(asked).to_contain_text("list_reminders")
            await asked.get_by_label("Note to the agent").fill("not today")
            await asked.get_by_role("button", name="Deny").click()
            await expect(page.locator("[data-reply-of]")).to_contain_text("Then not.")
            assert "not today" in agent.talk.results()[0]
    finally:
        await live.http.patch(tool, json={"permission_level": "auto"})


async def test_what_is_typed_while_a_message_is_on_its_way_is_sent_after_it(
    page: Page, live: Live, models: ScriptedModels
) -> None:
    async with _chatting(page, live, models, asks(text="Heard.")) as agent:
        await agent.do("pause")
        await page.route("**/messages", _slowly)
        await _say(page, "One.")
        await _say(page, "Two.")
        await expect(page.locator("#queue article")).to_have_count(2)
        await expect(page.get_by_label("Message", exact=True)).to_have_value("")
        sent = [item["content"] for item in await agent.inbox()]
        assert sent == ["One.", "Two."]


async def _slowly(route: Route) -> None:
    await asyncio.sleep(1)
    await route.continue_()

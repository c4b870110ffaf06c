"""A conversation in a terminal with an agent that stays, over the whole stack."""

from tests.doubles.scripted_models import Endless, ScriptedModels, asks
from tests.integration.cli_runs import typing
from tests.live import Live, until


async def test_a_person_is_asked_answers_and_interrupts_without_leaving_the_chat(
    agents_live: Live, models: ScriptedModels
) -> None:
    endless = Endless("I begin ", "at the ", "beginning ")
    talk = models.conversation(
        asks(("ask_human", {"question": "Which year?"}), text="Let me ask."),
        asks(text="It was 1984, and it was cold."),
        endless,
        asks(text="As you like."),
    )
    url = agents_live.services.api_url or ""
    async with typing(url, "agents", "chat", "winston", "--new") as run:
        await run.until_seen("winston · idle", ">")
        run.type(f"{talk.prompt('When was it?')}\r")
        await run.until_seen("Let me ask.", "asks you", "Which year?", "answer>")
        run.type("1984\r")
        await run.until_seen("approved: 1984", "✓ ask_human", "It was 1984, and it was cold.")
        run.type("Tell me more.\r")
        await run.until_seen("I begin at the beginning")
        run.type("\x03")
        await run.until_seen("(interrupted)")
        run.type("Never mind.\r")
        await run.until_seen("As you like.")
        run.type("\x04")
        assert await run.end() == 0
    text = run.picture.text
    for said in ("It was 1984, and", "I begin at the beginning", "As you like."):
        assert text.count(said) == 1
    assert endless.left.is_set()

    async def is_idle() -> bool:
        [agent] = (await agents_live.http.get("/api/v1/agents?name=winston")).json()["items"]
        return bool(agent["state"] == "idle")

    await until(is_idle)


async def test_whoever_watches_an_agent_sees_what_it_is_told_and_what_it_says(
    agents_live: Live, models: ScriptedModels
) -> None:
    talk = models.conversation(asks(text="Hello to you."))
    created = await agents_live.agentos("agents", "create", "piper")
    assert created.code == 0, created.stderr
    url = agents_live.services.api_url or ""
    async with typing(url, "agents", "watch", "piper") as run:
        await run.until_seen("piper: idle")
        sent = await agents_live.agentos("agents", "send", "piper", talk.prompt("Hi."), "--wait")
        assert sent.code == 0, sent.stderr
        await run.until_seen("piper: running", "piper -> ", ": Hello to you.")
        await run.until(lambda seen: seen.text.rstrip().endswith("piper: idle"))
    assert run.picture.text.count("piper: running") == 1

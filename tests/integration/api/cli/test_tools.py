"""``agentos tools``: MCP servers from the command line, against the true API."""

import json
import shlex
import sys

from tests.folders import DOUBLES
from tests.integration.api_stage import Stage
from tests.integration.cli_runs import agentos

DOUBLE = DOUBLES / "mcp_stdio.py"
LINE = shlex.join([sys.executable, "-I", str(DOUBLE)])


async def test_a_server_is_registered_used_and_removed(stage: Stage) -> None:
    words = ("tools", "register", "cli", "--command", LINE, "--env", "A=b=c", "--permission", "ask")
    printed = await agentos(stage.url, *words)
    assert printed.code == 0, printed.stderr
    assert "mcp.cli.echo" in printed.stdout
    listed = await agentos(stage.url, "tools", "ls", "-o", "json")
    tools = {tool["name"]: tool for tool in json.loads(listed.stdout)["items"]}
    assert tools["mcp.cli.echo"]["permission_level"] == "ask"
    off = await agentos(stage.url, "tools", "disable", "mcp.cli", "-o", "json")
    assert json.loads(off.stdout)["is_active"] is False
    permitted = await agentos(stage.url, "tools", "permit", "mcp.cli.echo", "auto", "-o", "json")
    assert json.loads(permitted.stdout)["permission_level"] == "auto"
    removed = await agentos(stage.url, "tools", "remove", "cli")
    assert (removed.code, removed.stdout) == (0, "mcp.cli\n")
    assert (await agentos(stage.url, "tools", "remove", "mcp.cli")).code == 5


async def test_a_program_that_lists_tools_gets_whole_sentences(stage: Stage) -> None:
    listed = (await agentos(stage.url, "tools", "ls")).stdout.splitlines()
    answer = await agentos(stage.url, "tools", "ls", "-o", "json")
    for tool in json.loads(answer.stdout)["items"]:
        said = " ".join(tool["description"].split("\n\n")[0].split())
        assert any(line.startswith(f"{tool['name']} ") and said in line for line in listed)


async def test_json_of_a_registration_is_the_answer_of_the_api(stage: Stage) -> None:
    words = ("tools", "register", "cli-json", "--command", LINE, "-o", "json")
    answer = json.loads((await agentos(stage.url, *words)).stdout)
    assert answer["server"]["name"] == "mcp.cli-json"
    assert len(answer["tools"]) == 10


async def test_a_server_that_cannot_be_reached_is_reported(stage: Stage) -> None:
    words = ("tools", "register", "nobody", "--url", "http://127.0.0.1:9/mcp")
    printed = await agentos(stage.url, *words)
    assert printed.code == 1
    assert "Connection refused. Nothing was changed." in " ".join(printed.stderr.split())


async def test_the_last_words_of_a_program_that_cannot_start_are_printed(stage: Stage) -> None:
    line = shlex.join([sys.executable, "-I", str(DOUBLES / "mcp_odd.py"), "dies"])
    printed = await agentos(stage.url, "tools", "register", "dead", "--command", line)
    assert printed.code == 1
    assert "ended with exit code 3" in printed.stderr
    assert "error: no token" in printed.stderr


async def test_a_variable_before_a_program_points_at_the_option_for_it() -> None:
    words = ("tools", "register", "x", "--command", "DEBUG=1 server")
    printed = await agentos("http://127.0.0.1:9", *words)
    assert printed.code == 2
    assert "--env DEBUG=VALUE" in " ".join(printed.stderr.replace("│", " ").split())


async def test_wrong_words_are_told_before_anything_is_sent_and_no_secret_is_repeated() -> None:
    nowhere = "http://127.0.0.1:9"
    for words in (
        (),
        ("--command", "a", "--url", "http://b"),
        ("--command", "'a"),
        ("--command", ""),
        ("--command", "a", "--env", "hunter2hunter2"),
        ("--command", "a", "--env", "API_TOKEN=hunter2hunter2"),
        ("--url", "http://a", "--header", "Authorization=Bearer hunter2hunter2"),
        ("--url", "http://a", "--env", "A=b"),
    ):
        printed = await agentos(nowhere, "tools", "register", "x", *words)
        assert printed.code == 2, words
        assert "hunter2" not in printed.stdout + printed.stderr


async def test_a_limit_of_a_tool_is_printed_where_it_is_set(stage: Stage) -> None:
    words = ("tools", "limit", "read_file")
    limited = await agentos(stage.url, *words, "--running", "3", "--per-minute", "30")
    assert limited.code == 0, limited.stderr
    assert "read_file: limited to 3 calls at once and 30 a minute" in limited.stderr
    lifted = await agentos(stage.url, *words, "--running", "0", "--per-minute", "0")
    assert "limited" not in lifted.stderr

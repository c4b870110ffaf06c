"""What the README tells people to send is what the API takes."""

import html
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from typer.main import get_command

from activities.retention import Retention
from activities.store.housekeeping.table import SWEEPS
from api import client
from api.cli.display.frames import hint_line
from deploy.cli import app
from tests.folders import PROJECT
from workflows.definitions.inputs import MAX_INPUTS
from workflows.definitions.pipeline import Pipeline
from workflows.definitions.pipeline_checking import problems_of
from workflows.definitions.plan import MAX_NODE_DESCRIPTION_CHARACTERS
from workflows.definitions.task_request import MAX_PROMPT_CHARACTERS, TaskRequest
from workflows.errors import AgentOSError

README = (PROJECT / "README.md").read_text()
PICTURES = sorted(set(re.findall(r"\]\((\S+\.svg)\)", README)))

# Of the pictures: the width of a character, and how many there are in a line.
_CHARACTER = 12.2
_COLUMNS = 108
_SHOWN_TEXT = re.compile(r'<text class="\S+-r\d+" x="([\d.]+)" y="([\d.]+)"[^>]*>([^<]*)</text>')
# As it was typed, or behind the label of a hint.
_SHOWN_COMMAND = re.compile(r"(?:\$ | {2}[A-Z]\w+ {2,}| {2}or {2,})agentos (.*)")


def test_the_request_that_the_readme_sends_with_curl_is_sound() -> None:
    [body] = re.findall(r"api/v1/tasks .*?-d '(.*?)'\n", README, re.DOTALL)
    request = TaskRequest.model_validate(json.loads(body))
    assert request.pipeline is not None
    assert problems_of(request.pipeline, request.inputs) == []


def test_the_pipelines_of_the_readme_are_sound() -> None:
    texts = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
    pipelines = [Pipeline.model_validate(yaml.safe_load(text)) for text in texts]
    assert [pipeline.is_graph for pipeline in pipelines] == [False, True]
    assert not any(problems_of(pipeline, {"sales": "file:x"}) for pipeline in pipelines)


def test_the_readme_names_the_limits_of_what_is_sent() -> None:
    text = " ".join(README.split())
    assert MAX_PROMPT_CHARACTERS == MAX_NODE_DESCRIPTION_CHARACTERS
    assert f"each node of a plan, has at most {MAX_INPUTS} inputs" in text
    assert f"a prompt, and the description of a node, {MAX_PROMPT_CHARACTERS:,} characters" in text


def test_the_readme_has_every_error_of_the_client() -> None:
    [section] = re.findall(r"^## From a program\n(.*?)^## ", README, re.DOTALL | re.MULTILINE)
    errors = {name for name in client.__all__ if issubclass(getattr(client, name), AgentOSError)}
    assert errors - set(re.findall(r"`(\w+)`", section)) == set()
    raised = {name for name in vars(client.errors) if name[0].isupper()}
    own = {name for name in raised if getattr(client.errors, name).__module__.startswith("api.")}
    assert own <= errors


def test_the_readme_sets_a_parameter_that_its_prompt_gives_to_the_compiled_pipeline() -> None:
    [prompt] = re.findall(r'submit agent "(Clean .*?)"', README)
    [name] = re.findall(r"report\.yaml .*--set (\w+)=", README)
    # An option whose value stands in the prompt becomes a parameter of its name.
    assert (name, "bar chart" in prompt) == ("kind", True)


def test_every_command_line_of_the_readme_names_commands_and_options_that_exist() -> None:
    lines = _command_lines()
    assert len(lines) > 30  # else the blocks are no longer found, and nothing is tested
    assert {line: what for line in lines if (what := _unknown(line)) is not None} == {}


@pytest.mark.parametrize("picture", PICTURES)
def test_every_command_line_of_a_picture_names_commands_and_options_that_exist(
    picture: str,
) -> None:
    lines = _lines_of_picture((PROJECT / picture).read_text())
    commands = [found[1] for line in lines if (found := _SHOWN_COMMAND.match(line))]
    assert len(commands) > 1  # what was typed, and what is hinted at
    assert {line: what for line in commands if (what := _unknown(line)) is not None} == {}
    hints = {line for line in lines if line.startswith("  Files ")}
    task_id = re.findall(r"workflows/task-(\S+)", "\n".join(lines))[0]
    hint = hint_line("Files", f"agentos artifacts get {task_id}").plain
    assert hints == {hint}  # as it is printed today


def test_a_command_that_is_no_more_is_found_in_a_picture() -> None:
    [line] = _lines_of_picture(
        '<text class="a-r1" x="24.4" y="20" textLength="1">agentos&#160;artifacts&#160;get</text>'
        '<text class="a-r1" x="0" y="20" textLength="1">$</text>'
        '<text class="a-r1" x="292.8" y="20" textLength="1">--tsk&#160;x</text>'
    )
    assert line == "$ agentos artifacts get --tsk x"
    found = _SHOWN_COMMAND.match(line)
    assert found is not None
    assert _unknown(found[1]) == "--tsk"


def test_the_readme_says_of_all_that_housekeeping_removes_how_long_it_is_kept() -> None:
    [section] = re.findall(r"^## Housekeeping\n(.*?)^## ", README, re.DOTALL | re.MULTILINE)
    default = Retention().model_dump()
    for name, days in default.items():
        kept = "`forever`" if days is None else str(days)
        row = f"| {name.replace('_', ' ')} | `AGENTOS_KEEP_{name.upper()}` | {kept} |"
        assert row in section
    others = [sweep.name for sweep in SWEEPS if sweep.name not in default]
    assert [name for name in others if f"`{name}`" not in section] == []


@pytest.mark.parametrize("name", ["README.md", "CHANGELOG.md", "CONTRIBUTING.md"])
def test_every_row_of_a_table_has_as_many_cells_as_its_head(name: str) -> None:
    text = (PROJECT / name).read_text()
    assert list(_broken_rows(text)) == []


def test_a_row_that_is_broken_is_found() -> None:
    table = "| a | b |\n|---|---|\n"
    broken = {"| 1 |": 3, "| 1 | 2 | 3 |": 3, "| `a|b` | 2 |": 3, "| 1 | 2": 3}
    for row, place in broken.items():
        assert [line for line, _ in _broken_rows(f"{table}{row}\n")] == [place], row
    for row in ("| 1 | 2 |", r"| `a\|b` | |", "\n| another |", "```\n| 1 |\n```"):
        assert list(_broken_rows(f"{table}{row}\n")) == [], row


def _broken_rows(text: str) -> Iterator[tuple[int, str]]:
    """Rows of tables with another number of cells than the head of theirs, by their lines. A bar
    ends a cell also within a code span, unless there is a backslash before it."""
    is_code, head = False, None
    for number, line in enumerate(text.splitlines(), 1):
        is_code ^= line.lstrip().startswith("```")
        row = line.strip()
        if is_code or not row.startswith("|"):
            head = None
            continue
        bars = len(re.findall(r"(?<!\\)\|", row))
        head = head or bars
        if bars != head or not row.endswith("|"):
            yield number, row


def _command_lines() -> list[str]:
    blocks = re.findall(r"```(?:console|sh|bash|shell)\n(.*?)```", README, re.DOTALL)
    text = "\n".join(blocks).replace("\\\n", " ")
    return re.findall(r"^(?:\$ )?agentos (.*)$", text, re.MULTILINE)


def _lines_of_picture(svg: str) -> list[str]:
    """What stands in a picture that rich has drawn; a command that fills a row goes on."""
    rows: dict[float, list[str]] = {}
    for x, y, text in _SHOWN_TEXT.findall(svg):
        row, place = rows.setdefault(float(y), []), round(float(x) / _CHARACTER)
        shown = html.unescape(text).replace("\xa0", " ").rstrip("\n")
        row.extend(" " * (place + len(shown) - len(row)))
        row[place : place + len(shown)] = shown
    lines, goes_on = [], False
    for _, row in sorted(rows.items()):
        lines = [*lines[:-1], lines[-1] + "".join(row)] if goes_on else [*lines, "".join(row)]
        goes_on = lines[-1].startswith("$") and len("".join(row).rstrip()) == _COLUMNS
    return [line.rstrip() for line in lines]


def _unknown(line: str) -> str | None:
    """The first word of a line of ``agentos`` that is no command, or no option of its command."""
    command: Any = get_command(app)
    known: dict[str, Any] = {}
    is_value = False
    text = re.sub(r"\"[^\"]*\"|'[^']*'", "TEXT", line)
    # The name of a schedule comes before its task, which is a command again.
    text = re.sub(r"^(schedules (?:create|edit)) [a-z]+ ", r"\1 ", text)
    for word in re.split(r" #|[;|>]|&&", text, maxsplit=1)[0].split():
        names = {
            name: each for each in command.params for name in (*each.opts, *each.secondary_opts)
        }
        known |= names
        inner = getattr(command, "commands", None)
        if is_value:
            is_value = False
        elif word.startswith("--"):
            name, equals, _ = word.partition("=")
            if name not in {*known, "--help"}:
                return word
            is_value = name in known and not equals and not known[name].is_flag
        elif inner is not None and not word.startswith("-"):
            if word not in inner:
                return word
            # A listed command stands for another, which is loaded to make its context.
            command = inner[word].make_context(word, [], resilient_parsing=True).command
    return None

"""What is said of an error that ends a command."""

from collections.abc import Iterator, Sequence

from rich.text import Text

from api.cli import exit_codes, terminal
from api.cli.errors import DocumentInvalid
from api.cli.exit_codes import ExitCode
from api.cli.source_lines import source_lines
from api.cli.terminal import safe_line
from api.cli.written_files import WrittenFile, in_files, recall
from api.client import ApiProblem
from api.wire.located import Located
from workflows.errors import AgentOSError
from workflows.pointers import Problem

_WHERE_KEYS_GO = "Put the key into AGENTOS_API_KEY."
_WITH_PROBLEMS = (ApiProblem, DocumentInvalid)
_REFUSED = "The request is not valid, and nothing was done."


def _told(error: AgentOSError, problems: Sequence[Problem]) -> Iterator[Text]:
    """Each problem with its place: in a file that was read, in its order, else in the request."""
    file = recall(error.fields.get("path"))
    if file is not None and isinstance(line := error.fields.get("line"), int):
        column = error.fields.get("column")
        yield from source_lines(file.text, line, column if isinstance(column, int) else 1)
    placed = [(file, each) for each in file.located(problems)] if file else in_files(problems)
    for owner, found in sorted(placed, key=lambda item: (item[1].line or 0, item[1].column or 0)):
        if owner is None or found.line is None:
            where = (safe_line(found.pointer or found.parameter or "/"), "yellow")
            yield Text.assemble("  ", where, "  ", safe_line(found.message))
        else:
            yield from _in_file(owner, found)


def _in_file(file: WrittenFile, found: Located) -> Iterator[Text]:
    line, column = found.line or 1, found.column or 1
    step = f"step {safe_line(found.step)}: " if found.step else ""
    where = (f"{safe_line(file.name)}:{line}:{column}: ", "yellow")
    yield Text.assemble("  ", where, step, safe_line(found.message))
    yield from source_lines(file.text, line, column)


def tell(error: AgentOSError) -> ExitCode:
    """Say on stderr what went wrong; of a request, everything that is wrong with it."""
    problems = error.problems if isinstance(error, _WITH_PROBLEMS) else ()
    console = terminal.stderr()
    summary = _REFUSED if isinstance(error, ApiProblem) and problems else str(error)
    console.print(Text.assemble(("Error: ", "bold red"), safe_line(summary)), soft_wrap=True)
    for line in _told(error, problems):
        console.print(line, soft_wrap=True)
    code = exit_codes.of_error(error)
    if code is ExitCode.NOT_AUTHORISED:
        console.print(_WHERE_KEYS_GO, style="dim", soft_wrap=True)
    return code

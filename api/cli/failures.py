"""What is said of an error that ends a command."""

from rich.text import Text

from api.cli import exit_codes, terminal
from api.cli.errors import DocumentInvalid
from api.cli.exit_codes import ExitCode
from api.cli.terminal import safe_line
from api.client import ApiProblem
from workflows.errors import AgentOSError

_WHERE_KEYS_GO = "Put the key into AGENTOS_API_KEY."
_WITH_PROBLEMS = (ApiProblem, DocumentInvalid)
_REFUSED = "The request is not valid. Nothing was started."


def tell(error: AgentOSError) -> ExitCode:
    """Say on stderr what went wrong; of a request, everything that is wrong with it."""
    problems = error.problems if isinstance(error, _WITH_PROBLEMS) else ()
    console = terminal.stderr()
    summary = _REFUSED if isinstance(error, ApiProblem) and problems else str(error)
    console.print(Text.assemble(("Error: ", "bold red"), safe_line(summary)), soft_wrap=True)
    for problem in problems:
        place = (safe_line(problem.pointer or "/"), "yellow")
        console.print(Text.assemble("  ", place, "  ", safe_line(problem.message)), soft_wrap=True)
    code = exit_codes.of_error(error)
    if code is ExitCode.NOT_AUTHORISED:
        console.print(_WHERE_KEYS_GO, style="dim", soft_wrap=True)
    return code

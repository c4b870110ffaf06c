"""What a script learns from the exit code."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from api.cli.exit_codes import ExitCode, of_error, of_task
from api.client.errors import problem_of
from deploy.skill_validation import app
from workflows.states import Status


@pytest.mark.parametrize("status", [400, 408, 409, 413, 422, 429])
def test_what_is_refused_never_looks_like_a_task_that_has_failed(status: int) -> None:
    refused = problem_of(status)(status=status, code="refused", message="No.")
    assert of_error(refused) is ExitCode.USAGE
    assert of_error(refused) is not of_task(Status.FAILED)


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (401, ExitCode.NOT_AUTHORISED),
        (403, ExitCode.NOT_AUTHORISED),
        (404, ExitCode.NOT_FOUND),
        (424, ExitCode.FAILED),
        (500, ExitCode.FAILED),
        (503, ExitCode.FAILED),
    ],
)
def test_a_missing_key_a_missing_thing_and_a_fault_have_codes_of_their_own(
    status: int, code: ExitCode
) -> None:
    assert of_error(problem_of(status)(status=status, code="x", message="No.")) is code


def test_a_skill_that_is_wrong_ends_with_the_code_of_a_pipeline_that_is(tmp_path: Path) -> None:
    (tmp_path / "SKILL.md").write_text("no frontmatter\n")
    assert CliRunner().invoke(app, ["validate", str(tmp_path)]).exit_code == ExitCode.USAGE

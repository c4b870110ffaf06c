"""What a command line asks for is judged before anything is sent."""

from pathlib import Path

import pytest

from api.cli.commands.request_body import built
from api.cli.errors import RequestInvalid
from api.cli.failures import tell
from api.cli.main import app, run
from api.client import ApiProblem
from api.wire.requests import RetryRequest
from workflows.pointers import Problem

TASK = "0199a3c2-7f1e-4d4a-9d0b-2f6c1e8a7b55"
# Nobody listens there: what is sent nevertheless ends the command in another way.
NOWHERE = ("--api-url", "http://127.0.0.1:1")
LONG = "x" * 100_030


@pytest.mark.parametrize(
    ("words", "place", "reason"),
    [
        (("submit", "plan", LONG), "/prompt", "at most 100000 characters"),
        (("submit", "agent", LONG), "/prompt", "at most 100000 characters"),
        (("submit", "auto", LONG), "/prompt", "at most 100000 characters"),
        (("retry", TASK, "--from", "a", "--description", ""), "/description", "at least 1 char"),
        (("retry", TASK, "--from", "a", "--description", LONG), "/description", "at most"),
        (("retry", TASK, "--from", LONG), "/from", "at most 300 characters"),
        (("approve", TASK, "--note", LONG), "/note", "at most 20000 characters"),
        (("deny", TASK, "--note", LONG), "/note", "at most 20000 characters"),
        (("compile", TASK, "--accept", LONG), "/accept/0", "at most 1000 characters"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_what_the_api_would_refuse_is_refused_in_its_words_with_exit_code_2(
    words: tuple[str, ...], place: str, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        run(app, [*NOWHERE, *words])
    assert ended.value.code == 2
    printed = capsys.readouterr().err
    assert place in printed
    assert reason in printed
    assert len(printed) < 1_000


def test_a_retry_that_is_not_valid_uploads_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.csv").write_text("a\n")
    words = ("retry", TASK, "--description", "", "--input", f"a={tmp_path}/a.csv")
    with pytest.raises(SystemExit) as ended:
        run(app, [*NOWHERE, *words])
    assert ended.value.code == 2
    assert "Nothing was sent." in capsys.readouterr().err


def test_every_problem_of_a_request_is_told() -> None:
    with pytest.raises(RequestInvalid) as refused:
        built(RetryRequest, {"from": LONG, "description": "", "more": 1})
    assert [problem.pointer for problem in refused.value.problems] == [
        "/from",
        "/description",
        "/more",
    ]


def test_what_the_server_refuses_is_not_said_to_have_been_a_start(
    capsys: pytest.CaptureFixture[str],
) -> None:
    problems = (Problem("/content", "it must have at least 1 character"),)
    tell(ApiProblem(status=422, code="invalid-request", message="no", problems=problems))
    printed = " ".join(capsys.readouterr().err.split())
    assert "The request is not valid, and nothing was done. /content it must have" in printed


def test_what_is_wrong_with_a_parameter_is_told_with_its_name(
    capsys: pytest.CaptureFixture[str],
) -> None:
    problems = (Problem("", "it is at most 60", "wait"),)
    tell(ApiProblem(status=422, code="invalid-request", message="no", problems=problems))
    assert "  wait  it is at most 60" in capsys.readouterr().err

"""What a command line names: inputs, pipelines, exit codes, files to write."""

import os
from pathlib import Path

import pytest

from api.cli import exit_codes
from api.cli.commands.document_file import MAX_BYTES
from api.cli.commands.inputs import parse_inputs
from api.cli.commands.pipeline_file import read_pipeline
from api.cli.errors import InputFileMissing, InputMalformed, PipelineFileRefused, PipelineInvalid
from api.client.errors import ApiProblem, ArtifactNameRefused, FileUnreadable
from api.client.transfer import Download, open_regular, target_of
from api.client.transport import Transport
from workflows.errors import AgentOSError, BadInput
from workflows.states import Status

STEP = "{id: a, code: {language: shell, source: 'cat $INPUT_X'}}"


def test_inputs_are_files_or_references(tmp_path: Path) -> None:
    path = tmp_path / "a=b.csv"
    path.touch()
    references = ["file:1", "artifact:2", "s3://b/k", "https://h/x?a=b"]
    given = parse_inputs([f"r{n}={text}" for n, text in enumerate(references)] + [f"x={path}"])
    assert given == {f"r{n}": text for n, text in enumerate(references)} | {"x": path}


@pytest.mark.parametrize(
    "text",
    ["x", "=x", "x=", "", "1x=file:1", "a b=file:1", "ä=file:1", "x=http://h/x", "\x1b=file:1"],
)
def test_an_input_that_is_malformed_is_refused(text: str) -> None:
    with pytest.raises(InputMalformed):
        parse_inputs([text])


def test_an_input_that_is_given_twice_is_refused() -> None:
    with pytest.raises(InputMalformed, match="twice"):
        parse_inputs(["x=file:1", "x=file:2"])


@pytest.mark.parametrize("name", ["nosuch", "."])
def test_an_input_that_is_no_file_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputFileMissing):
        parse_inputs([f"x={tmp_path / name}"])


@pytest.mark.parametrize("suffix", [".yaml", ".json"])
def test_a_pipeline_is_read_from_yaml_and_json(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"p{suffix}"
    code = '"code": {"language": "shell", "source": "echo"}'
    path.write_text('{\n\t"name": "on", "steps": [{"id": "a", ' + code + "}]}")
    assert read_pipeline(path, {}).name == "on"


def test_a_pipeline_is_checked_with_its_inputs_before_anything_is_sent(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(f"name: p\ninputs: [x]\nsteps: [{STEP}, {STEP}]")
    with pytest.raises(PipelineInvalid) as caught:
        read_pipeline(path, {"y": "file:1"})
    assert [problem.pointer for problem in caught.value.problems] == [
        *("/steps/1/id", "/inputs", "/inputs/y")
    ]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"a: [",
        b"a: &x [*x]",
        b"\xff",
        b"a: 1\na: 2",
        b"#" * (MAX_BYTES + 1),
        b"a: !!python/none 1",
    ],
)
def test_a_file_that_is_no_document_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "p.yaml"
    path.write_bytes(content)
    with pytest.raises(PipelineFileRefused):
        read_pipeline(path, {})


@pytest.mark.parametrize("content", ["~", "[]", "text", "steps: []", "name: p\nsteps: [{id: 1a}]"])
def test_a_document_that_is_no_pipeline_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(content)
    with pytest.raises(PipelineInvalid) as caught:
        read_pipeline(path, {})
    assert caught.value.problems


def wanted(name: str) -> Download:
    return Download(id="1", name=name, size=1, sha256=None)


@pytest.mark.parametrize(
    "name",
    [
        *("../../x", "/etc/x", "a/../../x", "a/../x", "..", ".", "", "/", "link/x", "loop/x"),
        *("a\nb", "a\x1bb", "a\0b", "a\x9bb", "\udc80"),
    ],
)
def test_a_name_that_leads_out_of_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "link").symlink_to(tmp_path)
    (folder / "loop").symlink_to(folder / "loop")
    with pytest.raises(ArtifactNameRefused):
        target_of(wanted(name), folder)


@pytest.mark.parametrize("name", ["a", "a/b.csv", ".hidden", "...", "ü 表\u3000.csv", "a\\b", "~"])
def test_a_name_that_stays_in_the_folder_is_kept(tmp_path: Path, name: str) -> None:
    assert target_of(wanted(name), tmp_path) == tmp_path / name


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(FileUnreadable, match="not a regular file"):
        open_regular(tmp_path / "pipe")


@pytest.mark.parametrize(
    "url", ["", "x", "ftp://h", "http://", "//h", "http://u:p@h", "http://h?q"]
)
def test_a_malformed_api_url_is_refused(url: str) -> None:
    with pytest.raises(BadInput):
        Transport(url)


@pytest.mark.parametrize("key", ["ä", "a\nX-Evil: 1", "\x1b"])
def test_a_key_that_cannot_be_sent_is_refused_without_showing_it(key: str) -> None:
    with pytest.raises(BadInput) as caught:
        Transport("http://127.0.0.1:1", key)
    assert key not in str(caught.value)


@pytest.mark.parametrize(
    ("status", "code"),
    [(400, 2), (401, 4), (403, 4), (404, 5), (409, 2), (413, 2), (422, 2), (429, 2), (503, 1)],
)
def test_what_the_api_refuses_exits_with_a_code_for_its_status(status: int, code: int) -> None:
    problem = ApiProblem(status=status, code="x", message="{braces} are text")
    assert exit_codes.of_error(problem) == code
    assert str(problem) == "{braces} are text"


def test_wrong_words_exit_with_2_and_other_errors_with_1() -> None:
    assert exit_codes.of_error(AgentOSError(reason="x")) == 1
    assert exit_codes.of_error(InputMalformed(text="x", reason="y")) == 2


def test_a_task_exits_with_a_code_for_its_end() -> None:
    ends = (Status.COMPLETED, Status.FAILED, Status.BLOCKED, Status.CANCELLED)
    assert [exit_codes.of_task(status) for status in ends] == [0, 1, 1, 3]

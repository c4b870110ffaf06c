"""``agentos openapi`` writes the document that the API sends."""

import json
from pathlib import Path

from typer import Typer
from typer.testing import CliRunner

from deploy.openapi import openapi


def test_the_document_is_written_without_an_api(tmp_path: Path) -> None:
    app = Typer()
    app.command()(openapi)
    output = tmp_path / "openapi.json"
    arguments = ["-o", str(output), "--server", "https://tasks.example.com/", "--keys-required"]
    done = CliRunner().invoke(app, arguments)
    assert (done.exit_code, done.output) == (0, "")
    document = json.loads(output.read_bytes())
    assert document["servers"][0]["url"] == "https://tasks.example.com"
    assert {} not in document["security"]
    assert "/api/v1/tasks" in document["paths"]

"""How ``agentos doctor`` shows what it found."""

import io
import json

from rich.console import Console

from deploy.doctor.report import Findings, table
from deploy.local.machine import Finding


def shown(*findings: Finding, width: int = 40) -> str:
    console = Console(file=io.StringIO(), width=width)
    console.print(table(list(findings)))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_fault_is_shown_with_its_remedy() -> None:
    assert "wrong" in shown(Finding("s3", False, "away", "Start it."))
    assert "Start it." in shown(Finding("s3", False, "away", "Start it."))
    assert "Start it." not in shown(Finding("s3", True, "away", "Start it."))
    assert len(shown(Finding("s3", False, "away")).splitlines()) == 1


def test_a_long_address_is_shown_whole() -> None:
    address = "postgresql://agentos@/agentos?host=" + "x" * 60
    rows = shown(Finding("stack", True, address)).splitlines()
    assert "".join(row.split()[-1] for row in rows) == address


def test_control_sequences_of_a_server_are_shown_and_not_obeyed() -> None:
    text = shown(Finding("models", False, "[red]no\x1b]0;owned\x07", "[/]mend"), width=100)
    assert "[red]no\\x1b]0;owned\\x07" in text
    assert "[/]mend" in text


def test_the_findings_of_the_doctor_can_be_printed_as_json() -> None:
    found = Findings(items=[Finding("s3", False, "away", "Start it.")])
    (item,) = json.loads(found.model_dump_json())["items"]
    assert item == {"name": "s3", "ok": False, "detail": "away", "remedy": "Start it."}

"""The ports that a stack had last time."""

import json
import socket
from pathlib import Path

import pytest

from deploy.local.port_plan import keep_ports, kept_ports
from deploy.local.state import DataFolder
from deploy.local.tcp_ports import choose_ports


def test_a_part_is_given_the_port_that_it_had_last_time(tmp_path: Path) -> None:
    data, (first, second) = DataFolder(tmp_path), choose_ports([None, None])
    keep_ports(data, {"api": [first], "temporal": [0, second]})
    keep_ports(data, {"worker": [second]})
    kept = kept_ports(data)
    assert kept.of("api", 0, 8000) == first
    assert kept.of("worker", 0, None) == second
    assert kept.of("api", 1, 8000) == 8000
    assert kept.of("model", 0, None) is None


def test_a_port_that_somebody_else_has_by_now_gives_way_to_the_usual_one(tmp_path: Path) -> None:
    data = DataFolder(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as other:
        keep_ports(data, {"api": [other.getsockname()[1]]})
        assert kept_ports(data).of("api", 0, 8000) == 8000


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"api": 1}', '{"api": ["x"]}', '{"api": [70000]}']
)
def test_a_file_that_is_not_as_we_write_it_is_as_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "ports.json").write_text(text)
    data = DataFolder(tmp_path)
    assert kept_ports(data).ports == {}
    keep_ports(data, {"api": [8000]})
    assert json.loads((tmp_path / "ports.json").read_text()) == {"api": [8000]}

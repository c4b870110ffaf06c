"""What is said of this machine."""

import socket

from deploy.local import machine


def test_the_ports_of_the_stack_that_runs_are_not_another_programs() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        usual = {"API": listener.getsockname()[1]}
        assert f"{usual['API']} (API)" in machine.ports(usual).detail
        assert str(usual["API"]) not in machine.ports(usual, own=set(usual.values())).detail

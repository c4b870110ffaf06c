"""The choice of ports."""

import os
import socket
import subprocess
from contextlib import ExitStack
from pathlib import Path

import pytest

from deploy.local.tcp_ports import choose_ports, find_silent, is_free


def test_a_free_port_is_given_as_wanted_and_a_taken_one_gives_way() -> None:
    (free,) = choose_ports([None])
    with socket.create_server(("127.0.0.1", 0)) as listener:
        taken: int = listener.getsockname()[1]
        first, second = choose_ports([free, taken])
        assert first == free
        assert second not in {free, taken}
        assert is_free(free)
        assert not is_free(taken)


def test_ports_chosen_together_differ() -> None:
    (free,) = choose_ports([None])
    assert len(set(choose_ports([free, free, *[None] * 50]))) == 52


def test_a_port_that_does_not_suit_gives_way_unless_it_was_wanted() -> None:
    (wanted,) = choose_ports([None])
    asked: list[int] = []

    def only_after_three(port: int) -> bool:
        asked.append(port)
        return len(asked) > 3

    assert choose_ports([wanted, None], only_after_three) == [wanted, asked[3]]


def test_ports_that_do_not_suit_are_not_held_open() -> None:
    files: list[int] = []

    def only_after_fifty(port: int) -> bool:
        files.append(len(list(Path("/proc/self/fd").iterdir())))
        return len(files) > 50

    choose_ports([None], only_after_fifty)
    assert len(files) == 51
    assert files[-1] - files[0] < 25  # Other threads may open some.


def test_no_port_that_suits_is_an_error() -> None:
    with pytest.raises(OSError, match="no TCP port that will do"):
        choose_ports([None], lambda port: False)


def test_no_outgoing_connection_can_take_a_port_that_was_chosen() -> None:
    range_of_outgoing = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text()
    first_outgoing = int(range_of_outgoing.split()[0])
    if first_outgoing <= 20_000:
        pytest.skip("outgoing connections may have nearly any port here")
    assert max(choose_ports([None] * 20)) < first_outgoing


def test_a_program_on_all_interfaces_has_the_port_of_loopback_too() -> None:
    with socket.create_server(("0.0.0.0", 0)) as listener:
        assert not is_free(listener.getsockname()[1])


def test_the_listener_on_a_port_is_known() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        subprocess.Popen(["sleep", "60"]) as other,
    ):
        port = listener.getsockname()[1]
        silent = find_silent(other.pid, [port])
        other.kill()
        assert silent == port
        assert find_silent(os.getpid(), [port]) is None
    assert find_silent(os.getpid(), [port]) == port


def test_the_first_of_many_ports_on_which_nobody_listens_is_named() -> None:
    closed, other = choose_ports([None, None])
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert find_silent(os.getpid(), [port, closed, other]) == closed
    assert find_silent(os.getpid(), []) is None


def test_a_listener_that_accepts_nobody_is_known_all_the_same() -> None:
    with socket.socket() as listener, ExitStack() as clients:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        for _ in range(4):
            client = clients.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(("127.0.0.1", port))
        assert find_silent(os.getpid(), [port]) is None

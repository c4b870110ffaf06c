import pytest

from workflows.addresses import is_loopback, origin_of


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.9.9.9", "::1", "[::1]", "::ffff:127.0.0.1", "localhost", "LocalHost."],
)
def test_this_machine_is_known_by_its_names(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host",
    ["", "0.0.0.0", "::", "10.0.0.1", "localhost.example", "127.0.0.1.example", "::ffff:10.0.0.1"],
)
def test_what_may_be_another_machine_is_not_taken_for_this_one(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("http://127.0.0.1:8233", "http://127.0.0.1:8233"),
        ("HTTP://Temporal.Example:8233/ui/?a=b#c", "http://temporal.example:8233"),
        ("http://temporal.example:80/", "http://temporal.example"),
        ("https://temporal.example:443", "https://temporal.example"),
        ("https://temporal.example:80", "https://temporal.example:80"),
        ("https://somebody:hunter2@temporal.example", "https://temporal.example"),
        ("http://[::1]:8233", "http://[::1]:8233"),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
    ],
)
def test_the_origin_of_a_page_is_written_as_browsers_write_it(url: str, origin: str) -> None:
    assert origin_of(url) == origin


@pytest.mark.parametrize(
    "url", ["", "temporal.example", "ftp://a.example", "http://", "http://a:b", "http://a..b"]
)
def test_what_is_no_address_of_a_page_has_no_origin(url: str) -> None:
    assert origin_of(url) is None

"""The check of growth itself: it would be no use if it let squares pass, or failed lines."""

from tests.growth import is_about_linear


def _line(size: int) -> None:
    for _ in range(size):
        pass


def _square(size: int) -> None:
    for _ in range(size):
        _line(size)


def test_work_that_grows_with_its_size_passes() -> None:
    assert is_about_linear(_line, 3_000_000)


def test_work_that_grows_with_the_square_of_its_size_does_not_pass() -> None:
    assert not is_about_linear(_square, 4_000)

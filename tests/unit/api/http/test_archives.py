import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.http.archives import ArchiveNames


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("report.csv", "report.csv"),
        ("charts/a.png", "charts/a.png"),
        ("../../etc/passwd", "etc/passwd"),
        ("/etc/passwd", "etc/passwd"),
        ("..\\..\\boot.ini", "boot.ini"),
        ("a//./b", "a/b"),
        ("photo\u202egpj.exe", "photogpj.exe"),
        ("", "upload"),
        ("..", "upload"),
    ],
)
def test_a_name_stays_below_the_folder_it_is_unpacked_in(given: str, name: str) -> None:
    assert ArchiveNames().of(given) == name


def test_equal_names_are_numbered_also_where_case_does_not_count() -> None:
    names = ArchiveNames()
    given = ("a.csv", "a.csv", "A.csv", "a (2).csv", "b/a.csv", "b/a.csv", ".env", ".env")
    assert [names.of(name) for name in given] == [
        "a.csv", "a (2).csv", "A (3).csv", "a (2) (2).csv", "b/a.csv", "b/a (2).csv", ".env",
        ".env (2)",
    ]  # fmt: skip


def test_a_file_and_a_folder_of_one_name_get_along() -> None:
    names = ArchiveNames()
    assert [names.of(name) for name in ("a", "a/b", "c/d", "c")] == ["a", "a_b", "c/d", "c (2)"]


@given(st.lists(st.text(alphabet="aA./\\\u202e\x00 ()2", max_size=8)))
def test_no_two_names_are_alike(given: list[str]) -> None:
    names = ArchiveNames()
    found = [names.of(name).casefold() for name in given]
    assert len(set(found)) == len(found)
    for name in found:
        assert not {"", ".", ".."} & set(name.split("/"))

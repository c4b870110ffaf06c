"""Which tools and skills a few words mean."""

from hypothesis import given
from hypothesis import strategies as st

from activities.tools.ranking import rank
from tests.growth import is_about_linear

TOOLS = {
    "mcp.github.create_issue": "Opens a new issue in a repository.",
    "mcp.github.list_pull_requests": "Lists pull requests, with their authors and reviews.",
    "mcp.jira.searchIssues": "Finds tickets with JQL.",
    "mcp.mail.send": "Sends an e-mail to one or more people.",
    "mcp.karten.suche": "Sucht Straßen und Plätze auf der Karte.",
    "mcp.weather.forecast": "天気予報を取得します",
}


def best(query: str) -> str | None:
    return next(iter(rank(query, TOOLS)), None)


def test_words_of_names_and_descriptions_are_found() -> None:
    assert best("send an email to Ann") == "mcp.mail.send"
    assert best("open a new issue") == "mcp.github.create_issue"
    assert best("pull request reviews") == "mcp.github.list_pull_requests"
    assert best("jira tickets") == "mcp.jira.searchIssues"


def test_a_word_is_found_in_another_form_and_in_names_that_are_written_together() -> None:
    assert best("issues search") == "mcp.jira.searchIssues"
    assert rank("repositories", {"a": "In a repository.", "b": "A report."}) == ["a"]
    assert rank("reviewing", {"a": "Review it.", "b": "Mail."}) == ["a"]


def test_words_in_any_script_are_found() -> None:
    assert best("STRASSEN") == best("straßen") == "mcp.karten.suche"
    assert best("天気") == "mcp.weather.forecast"


def test_a_name_itself_comes_first() -> None:
    for name in TOOLS:
        assert best(f" {name.upper()} ") == name


def test_what_has_nothing_of_the_query_is_left_out() -> None:
    assert rank("bake a cake", {"x": "Sends mail."}) == []
    assert rank("zzz", TOOLS) == []


def test_a_query_without_words_fits_all_in_their_order() -> None:
    assert list(rank(" ,. ", TOOLS)) == list(TOOLS)


@given(query=st.text(max_size=50), texts=st.dictionaries(st.text(max_size=20), st.text()))
def test_whatever_is_asked_a_part_of_what_there_is_is_found(
    query: str, texts: dict[str, str]
) -> None:
    found = rank(query, texts)
    assert len(set(found)) == len(found)
    assert set(found) <= set(texts)


def test_a_search_among_many_long_descriptions_takes_a_bounded_time() -> None:
    query = " ".join(f"word{n}" for n in range(200))

    def search(number: int) -> None:
        rank(query, {f"t{n}": " ".join(f"text{n}x{k}" for k in range(800)) for n in range(number)})

    assert is_about_linear(search, 200)

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.web.text.code import MAX_CHARACTERS, highlight
from api.web.text.visible import visible
from tests.unit.api.web.text.hostile import HOSTILE
from tests.unit.api.web.text.tags import Tags

LANGUAGES = ["python", "bash", "json", "yaml", "html", "sql", "javascript", "diff", "toml", "css"]


def test_source_is_coloured_by_its_language() -> None:
    assert highlight("def f(): # why", "python") == (
        '<span class="code-keyword">def</span> <span class="code-name">f</span>(): '
        '<span class="code-comment"># why</span>'
    )


@pytest.mark.parametrize("name", ["a.py", "x/run.sh", "b.json", "c.yml", "d.sql", "Dockerfile"])
def test_source_is_coloured_by_the_name_of_its_file(name: str) -> None:
    assert "<span" in highlight('FROM true # "a"\nimport 1', name=name)


@pytest.mark.parametrize("language", ["", "klingon", "../../etc", "x" * 10_000, "text", "Python "])
def test_what_is_in_no_language_that_we_know_stays_plain(language: str) -> None:
    assert highlight("def <f>", language) == "def &lt;f&gt;"


@pytest.mark.parametrize("language", LANGUAGES)
def test_hostile_source_makes_no_tag_but_ours(language: str) -> None:
    for text in HOSTILE:
        read = Tags(highlight(text, language))
        assert read.names <= {"span"}
        assert read.words == visible(text)


@given(st.text(), st.sampled_from(LANGUAGES))
def test_every_character_survives(text: str, language: str) -> None:
    assert Tags(highlight(text, language)).words == visible(text)


def test_long_source_stays_plain() -> None:
    assert "<span" not in highlight("def f(): pass\n" * MAX_CHARACTERS, "python")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("unit", ["(", "'", "{", "<a ", "a:", " ", "/*", "\\", "${", "a b "])
def test_source_that_is_slow_to_read_is_given_up(language: str, unit: str) -> None:
    start = time.thread_time()
    highlight(unit * (MAX_CHARACTERS // len(unit)), language)
    assert time.thread_time() - start < 3


def test_words_of_one_text_are_coloured_together() -> None:
    assert highlight('a: "' + "word " * 1_000 + '"', "yaml").count("<span") == 2

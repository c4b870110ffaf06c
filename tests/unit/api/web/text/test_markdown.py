import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.web.text.markdown import MAX_CHARACTERS, is_safe_link, markdown
from tests.unit.api.web.text.hostile import HOSTILE
from tests.unit.api.web.text.tags import Tags

ARTIFACT = "/api/v1/artifacts/0c9b0c9b-0c9b-4c9b-8c9b-0c9b0c9b0c9b"
ATTRIBUTES = {"class", "href", "rel", "src", "alt", "loading", "scope", "role", "tabindex", "start"}
ATTRIBUTES |= {"aria-label"}
TAGS = {"p", "br", "hr", "em", "strong", "s", "code", "pre", "blockquote", "ul", "ol", "li", "a"}
TAGS |= {"img", "span", "div", "table", "thead", "tbody", "tr", "th", "td"}
SIGNS = [
    "*",
    "_",
    "`",
    "[",
    "](",
    ")",
    "![",
    "<",
    ">",
    "# ",
    "- ",
    "|",
    "\n",
    "&#x202e;",
    "~~",
    "\\",
]
WORDS = [
    "word",
    "http://a.example",
    "javascript:x",
    "<b>",
    "<script>",
    ARTIFACT,
    "\x00",
    " ",
    "1. ",
]


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("**a** *b* ~~c~~ `d`", "<strong>a</strong> <em>b</em> <s>c</s> <code>d</code>"),
        ("# Title", '<p class="md-h1">Title</p>'),
        ("- a\n- b", "<li>a</li>"),
        ("|a|\n|-:|\n|1|", '<th scope="col" class="md-right">a</th>'),
        ("> a", "<blockquote>"),
        ("```json\n{}\n```", "<code>{}\n</code>"),
        ("<b>a</b>", "&lt;b&gt;a&lt;/b&gt;"),
    ],
)
def test_markdown_becomes_html(text: str, html: str) -> None:
    assert html in markdown(text)


@pytest.mark.parametrize(
    "address", ["https://a.example/b?c=d", "http://a", "mailto:a@b.c", "/tasks"]
)
def test_links_of_the_web_and_our_own_paths_tell_nobody_where_they_were(address: str) -> None:
    (link,) = Tags(markdown(f"[x]({address})")).of("a")
    assert link == {"href": address, "rel": "noopener noreferrer nofollow"}


@pytest.mark.parametrize(
    "address",
    [
        *(
            "javascript:a",
            "data:text/html,x",
            "vbscript:x",
            "file:///x",
            "ftp://x",
            "//evil.example",
        ),
        *("relative", "#top", "https:evil", "mailto:", "blob:x", "http://[", "", "/\\evil.example"),
    ],
)
def test_other_addresses_are_no_links(address: str) -> None:
    assert not is_safe_link(address)


@pytest.mark.parametrize("prefix", ["", "http://127.0.0.1:8000", "https://agentos.example"])
def test_images_that_a_task_made_are_shown_from_here(prefix: str) -> None:
    (image,) = Tags(markdown(f"![chart]({prefix}{ARTIFACT})")).of("img")
    assert image == {"src": ARTIFACT, "alt": "chart", "loading": "lazy"}


def test_images_of_others_are_links_and_load_nothing() -> None:
    read = Tags(markdown("![pixel](https://evil.example/a.png) [![a](http://b.example)](/tasks)"))
    assert not read.of("img")
    assert [link["href"] for link in read.of("a")] == ["https://evil.example/a.png", "/tasks"]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_markdown_can_do_nothing(text: str) -> None:
    _check(markdown(text))


@given(
    st.lists(st.one_of(st.sampled_from(SIGNS), st.sampled_from(WORDS)), max_size=60).map("".join)
)
def test_no_markdown_makes_a_tag_or_attribute_that_is_not_allowed(text: str) -> None:
    _check(markdown(text))


@given(st.text(alphabet="abc <&\"'é漢\n"))
def test_words_survive(text: str) -> None:
    assert "".join(Tags(markdown(text)).words.split()) == "".join(text.split())


def test_long_text_is_shown_as_it_is() -> None:
    html = markdown("**a** <b>\n" * 200_000)
    assert html.startswith('<pre class="plain">**a** &lt;b&gt;')


UNITS = [
    "> ",
    "- ",
    "![",
    "[",
    "](",
    "*a_ ",
    "`",
    "<",
    "&",
    "|",
    "\\",
    "- a\n",
    "1. a\n",
    "a\n",
    "**_ a",
]


@pytest.mark.parametrize("unit", [*UNITS, "\n", "    a\n", "[a]: b\n", "```x\n", "|a|\n|-|\n", "#"])
def test_no_text_takes_long(unit: str) -> None:
    for size in (MAX_CHARACTERS, 1024 * 1024):
        start = time.thread_time()
        markdown(unit * (size // len(unit)))
        assert time.thread_time() - start < 2  # On a slow machine; else it is a part of one.


def test_code_in_many_places_takes_no_longer_than_in_one() -> None:
    block = "```css\n" + "(" * 6_000 + "\n```\n"
    start = time.thread_time()
    html = markdown(block * 10)
    assert time.thread_time() - start < 4
    assert html.count("<pre") == 10


def test_the_same_text_is_drawn_once() -> None:
    assert markdown("**once**") is markdown("**once**")


def _check(html: str) -> None:
    read = Tags(html)
    assert read.names <= TAGS
    for tag, attributes in read.found:
        assert set(attributes) <= ATTRIBUTES
        for address in (attributes.get("href"), attributes.get("src")):
            assert address is None or is_safe_link(address)
        assert tag != "img" or str(attributes["src"]).startswith("/api/v1/artifacts/")
    assert not set("\x00\u202e\u2066\x1b") & set(html)
    html.encode()

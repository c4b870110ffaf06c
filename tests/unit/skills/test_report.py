"""report: a section for each kind of file, and nothing in the files that acts."""

import base64
import hashlib
import html
import json
import re
import subprocess
import sys
import time
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Protocol

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from tests.pressure import allowed
from tests.unit.skills.runs import SKILLS, Run, run

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
HOSTILE = (
    '" onerror="alert(1)" </title></style><script>alert(1)</script><img src=x onerror=alert(1)> `|'
)


class Report(Protocol):
    """Runs the script in a folder. Files are named ``name_extension``."""

    def __call__(self, folder: Path, *arguments: str, **files: str | bytes) -> Run: ...


@pytest.fixture(scope="session")
def report(report_python: Path) -> Report:
    def report(folder: Path, *arguments: str, **files: str | bytes) -> Run:
        for name, content in files.items():
            data = content.encode() if isinstance(content, str) else content
            (folder / name.replace("_", ".")).write_bytes(data)
        return run("report", *arguments, cwd=folder, python=report_python)

    return report


class Page(HTMLParser):
    """The tags, attributes and text of a page, as a browser sees them."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.shown = ""
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.shown += data


ALLOWED_TAGS = {
    "html", "head", "meta", "title", "style", "body", "header", "main", "footer", "nav", "section",
    "div", "h1", "h2", "h3", "h4", "h5", "h6", "p", "ol", "ul", "li", "table", "thead", "tbody",
    "tr", "th", "td", "a", "pre", "code", "em", "strong", "blockquote", "hr", "img",
}  # fmt: skip


def is_harmless(page: Page) -> bool:
    addresses = [value for name, value in page.attributes if name in ("src", "href")]
    return (
        set(page.tags) <= ALLOWED_TAGS
        and not any(name.startswith("on") for name, _ in page.attributes)
        and all(re.match(r"data:image/|#section-\d+$|https?://|mailto:", a) for a in addresses)
    )


def page_of(folder: Path) -> Page:
    return Page((folder / "report.html").read_text(encoding="utf-8"))


def test_every_kind_of_file_becomes_a_section(report: Report, tmp_path: Path) -> None:
    summary: Any = report(
        tmp_path,
        "--title=All", "a.md", "b.csv", "c.json", "d.png", "e.svg", "Log=f.txt",
        a_md="# Findings\n\nGood *news*.\n", b_csv="x,y\n1,2\n", c_json='{"n": 1}', d_png=PNG,
        e_svg='<svg xmlns="http://www.w3.org/2000/svg"/>', f_txt="line 1\nline 2\n",
    ).summary  # fmt: skip
    assert [(s["title"], s["kind"]) for s in summary["sections"]] == [
        ("Findings", "markdown"),
        ("B", "table"),
        ("C", "json"),
        ("D", "picture"),
        ("E", "picture"),
        ("Log", "text"),
    ]
    assert summary["files"] == ["report.md", "report.html", "report-d.png", "report-e.svg"]
    assert is_harmless(page_of(tmp_path))


def test_pictures_are_embedded_in_the_html_and_copied_beside_the_markdown(
    report: Report, tmp_path: Path
) -> None:
    report(tmp_path, "Body mass=d.png", d_png=PNG)
    page = (tmp_path / "report.html").read_text()
    assert f'src="data:image/png;base64,{base64.b64encode(PNG).decode()}"' in page
    assert "![Body mass](report-d.png)" in (tmp_path / "report.md").read_text()
    assert (tmp_path / "report-d.png").read_bytes() == PNG


def test_two_pictures_of_one_name_are_both_kept(report: Report, tmp_path: Path) -> None:
    for folder in ("x", "y"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "p.png").write_bytes(PNG + folder.encode())
    report(tmp_path, "x/p.png", "y/p.png")
    assert (tmp_path / "report-p.png").read_bytes().endswith(b"x")
    assert (tmp_path / "report-p-2.png").read_bytes().endswith(b"y")


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (PNG, "picture"),
        (b'<?xml version="1.0"?>\n<!-- x -->\n<svg width="1"></svg>', "picture"),
        (b"# Title\n\ntext\n", "markdown"),
        (b"a,b\n1,2\n", "table"),
        (b'[{"a": 1}]', "json"),
        (b"just words, and more\n", "text"),
    ],
)
def test_a_file_without_an_extension_is_told_by_its_content(
    report: Report, tmp_path: Path, content: bytes, kind: str
) -> None:
    assert report(tmp_path, "data", data=content).summary["sections"][0]["kind"] == kind


def test_a_table_shows_the_first_rows_and_says_how_many_there_are(
    report: Report, tmp_path: Path
) -> None:
    content = "n,name\n" + "".join(f"{n},v{n}\n" for n in range(1, 101))
    report(tmp_path, "--rows=3", "t.csv", t_csv=content)
    shown = page_of(tmp_path).shown
    assert "The first 3 of 100 rows, 2 columns." in shown
    assert "v3" in shown
    assert "v4" not in shown
    assert "| 3 | v3 |" in (tmp_path / "report.md").read_text()


def test_flat_json_is_a_table_and_deep_json_is_itself(report: Report, tmp_path: Path) -> None:
    files = {
        "r_json": json.dumps([{"a": 1}, {"b": "x"}]),
        "d_json": json.dumps({"a": [1, {"b": 2}]}),
    }
    report(tmp_path, "r.json", "d.json", **files)
    text = (tmp_path / "report.md").read_text()
    assert "| a | b |" in text
    assert '"b": 2' in text


def test_markdown_is_rendered(report: Report, tmp_path: Path) -> None:
    source = (
        "## Part\n\nA **bold** and *soft* `x < y` [link](https://e.org/?a=1&b=2).\n\n- one\n- two\n"
        "  goes on\n\n1. first\n\n> quoted\n\n| a | b \\| c |\n|:--|--:|\n| 1 | 2 |\n\n"
        "```\n<raw>\n```\n"
    )
    report(tmp_path, "Notes=m.md", m_md="# Gone\n" + source)
    page = (tmp_path / "report.html").read_text()
    for part in (
        "<h3>Part</h3>",
        "<strong>bold</strong>",
        "<em>soft</em>",
        "<code>x &lt; y</code>",
        '<a href="https://e.org/?a=1&amp;b=2" rel="noreferrer">link</a>',
        "<ul><li>one</li><li>two goes on</li></ul>",
        "<ol><li>first</li></ol>",
        "<blockquote><p>quoted</p></blockquote>",
        '<th class="number">b | c</th>',
        "<pre><code>&lt;raw&gt;</code></pre>",
    ):
        assert part in page
    assert "### Part" in (tmp_path / "report.md").read_text()


def test_hostile_titles_and_cells_are_shown_as_text(report: Report, tmp_path: Path) -> None:
    cell = HOSTILE.replace('"', '""')
    done = report(
        tmp_path,
        f"--title={HOSTILE}", f"--subtitle={HOSTILE}", '--language="><script>',
        f"{HOSTILE}=a.csv", f"{HOSTILE}=b.json", f"{HOSTILE}=c.txt", f"{HOSTILE}=d.md",
        f"{HOSTILE}=e.png",
        a_csv=f'"{cell}",b\n"{cell}",=cmd()\n', b_json=json.dumps({HOSTILE: HOSTILE}),
        c_txt=f"{HOSTILE}\n```\n<script>\n", d_md=f"{HOSTILE}\n\n## {HOSTILE}\n\n- {HOSTILE}\n",
        e_png=PNG,
    )  # fmt: skip
    assert done.code == 0, done.stderr
    page = page_of(tmp_path)
    assert is_harmless(page)
    assert page.shown.count("alert(1)") >= 10
    assert "=cmd()" in page.shown


@pytest.mark.parametrize(
    "line",
    [
        "<script>alert(1)</script>",
        "text <img src=x onerror=alert(1)>",
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt:alert(1))",
        "[x](&#106;avascript:alert(1))",
        "[x](data:text/html,<script>)",
        '[x](https://e.org/"onmouseover="alert(1))',
        "![x](https://tracker.example/pixel.png)",
        '![x](https://e.org" onerror="alert(1))',
        "&lt;script&gt;alert(1)&lt;/script&gt;",
        "| a |\n|---|\n| <script>alert(1)</script> |",
        "```\n</code></pre><script>alert(1)</script>",
        "`</code><script>alert(1)</script>`",
        "\\<script>alert(1)\\</script>",
        "**[<b>](https://e.org)**",
    ],
)
def test_hostile_markdown_cannot_act(report: Report, tmp_path: Path, line: str) -> None:
    report(tmp_path, "x.md", x_md=f"words\n\n{line}\n")
    page = page_of(tmp_path)
    assert is_harmless(page)
    assert "img" not in page.tags


def test_raw_html_in_markdown_is_text_in_the_markdown_report_too(
    report: Report, tmp_path: Path
) -> None:
    content = (
        "a <script>x</script> <https://e.org> `<b>`\n\n```\n<b>\n```\n<i>\n\n~~~\nnever closed"
    )
    report(tmp_path, "x.md", "y.txt", x_md=content, y_txt="after")
    text = (tmp_path / "report.md").read_text()
    assert "&lt;script>x&lt;/script> <https://e.org> `<b>`" in text
    assert "```\n<b>\n```\n&lt;i>" in text
    assert text.count("~~~") == 2


def test_the_fence_around_text_is_longer_than_any_in_it(report: Report, tmp_path: Path) -> None:
    report(tmp_path, "x.txt", x_txt="````\n# not a heading\n````\n")
    assert "\n`````\n````\n# not a heading\n````\n`````\n" in (tmp_path / "report.md").read_text()


def test_an_svg_is_only_ever_a_picture(report: Report, tmp_path: Path) -> None:
    svg = '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
    report(tmp_path, "x.svg", x_svg=svg)
    page = page_of(tmp_path)
    assert "svg" not in page.tags
    assert "script" not in page.tags
    assert "data:image/svg+xml;base64," in dict(page.attributes)["src"]


def test_the_policy_forbids_all_but_pictures_and_this_style(report: Report, tmp_path: Path) -> None:
    report(tmp_path, "x.txt", x_txt="x")
    source = (tmp_path / "report.html").read_text()
    match = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', source)
    style = re.search(r"<style>(.*?)</style>", source, re.DOTALL)
    assert match
    assert style
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert html.unescape(match[1]) == (
        f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'"
    )


def test_the_sources_are_named_with_their_digests(report: Report, tmp_path: Path) -> None:
    report(tmp_path, "x.txt", x_txt="x")
    digest = hashlib.sha256(b"x").hexdigest()
    assert digest in (tmp_path / "report.md").read_text()
    assert digest in page_of(tmp_path).shown


def test_the_same_files_give_the_same_report(report: Report, tmp_path: Path) -> None:
    report(tmp_path, "x.csv", "d.png", x_csv="a,b\n1,2\n", d_png=PNG)
    first = [(tmp_path / name).read_bytes() for name in ("report.md", "report.html")]
    report(tmp_path, "x.csv", "d.png")
    assert [(tmp_path / name).read_bytes() for name in ("report.md", "report.html")] == first


@pytest.mark.parametrize(
    "line",
    ["[" * 200_000, "*" * 200_000, "`" * 100_001, "_a" * 100_000, "](" * 100_000, "![" * 100_000],
)
def test_a_hostile_line_costs_no_more_than_seconds(
    report: Report, tmp_path: Path, line: str
) -> None:
    start = time.monotonic()
    assert report(tmp_path, "x.md", x_md=line).code == 0
    assert time.monotonic() - start < allowed(10)


def test_long_text_is_cut_and_says_so(report: Report, tmp_path: Path) -> None:
    report(tmp_path, "x.txt", x_txt="line\n" * 1000)
    assert "The rest is left out." in page_of(tmp_path).shown
    assert (tmp_path / "report.md").read_text().count("line\n") == 400


@pytest.mark.parametrize(
    ("arguments", "files", "words"),
    [
        (["no.md"], {}, ["no.md", "no such file"]),
        (["x.txt"], {"x_txt": ""}, ["x.txt", "empty"]),
        (["data"], {"data": b"\x00\x01\x02"}, ["not a text file"]),
        (["x.csv"], {"x_csv": 'a,b\n"1\n'}, ["x.csv", "quote"]),
        (["report.md"], {"report_md": "# Mine"}, ["report.md", "one of the inputs"]),
        ([], {}, ["usage"]),
    ],
)
def test_a_file_that_cannot_be_shown_is_refused(
    report: Report,
    tmp_path: Path,
    arguments: list[str],
    files: dict[str, str | bytes],
    words: list[str],
) -> None:
    assert report(tmp_path, *arguments, **files).refuses(*words)
    assert not (tmp_path / "report.html").exists()


fragments = st.sampled_from(
    ["<script>", "</pre>", "`", "```\n", "*", "**", "_", "[a](", "](https://e.org", ")", "![", "|",
     "\n|--|\n", "\n", "# ", "- ", "> ", "\\", "&lt;", "&#x3c;", '"', "javascript:", " x "]
)  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(parts=st.lists(fragments, max_size=40))
@example(parts=["\n|--|\n", "- "])
def test_no_mixture_of_marks_makes_markup(
    report: Report, tmp_path_factory: pytest.TempPathFactory, parts: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("mixture")
    assert report(folder, "x.md", x_md="start\n" + "".join(parts)).code == 0
    assert is_harmless(page_of(folder))


@settings(max_examples=40, deadline=None)
@given(parts=st.lists(fragments, max_size=40))
@example(parts=["`<b>``"])
@example(parts=["`a\n` <b> `"])
@example(parts=["<https://e.org/`b> <b> `"])
@example(parts=["| ` | <b> | ` |\n|--|--|--|\n"])
@example(parts=["`", "a" * 1_001, "` <b> `"])
@example(parts=["- ```\n  <b>\n\n<b>"])
@example(parts=["\n\n```\n> ```\n"])
@example(parts=["`\n<!--`"])
@example(parts=["[a](`)<b>`"])
@example(parts=["<div>\n```\n<b>\n```\n"])
@example(parts=["[x]: <b> `\n\n<b> `"])
def test_no_mixture_of_marks_makes_raw_html_in_the_markdown_report(
    report: Report, tmp_path_factory: pytest.TempPathFactory, parts: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("mixture")
    assert report(folder, "x.md", x_md="start\n" + "".join(parts)).code == 0
    readers = [MarkdownIt("commonmark", {"html": True}) for _ in range(2)]
    readers[1].enable("table")
    for reader in readers:
        tokens = reader.parse((folder / "report.md").read_text())
        inner = [child for token in tokens for child in token.children or ()]
        assert not [token for token in (*tokens, *inner) if token.type.startswith("html_")]
        assert tokens[-1].type == "bullet_list_close"  # the list of sources, which no fence holds


def test_lists_within_lists_keep_their_shape(report: Report, tmp_path: Path) -> None:
    report(tmp_path, "x.md", x_md="words\n\n- one\n  - inner\n\n1. first\n\n   more\n")
    page = (tmp_path / "report.html").read_text()
    assert "<ul><li>one<ul><li>inner</li></ul></li></ul>" in page
    assert "<ol><li><p>first</p><p>more</p></li></ol>" in page


def test_a_heading_of_two_lines_is_a_title_like_any_other(report: Report, tmp_path: Path) -> None:
    summary = report(tmp_path, "x.md", x_md="A *fine*\ntitle\n===\n\nPart\n----\n").summary
    assert summary["sections"][0]["title"] == "A fine title"
    assert "<h3>Part</h3>" in (tmp_path / "report.html").read_text()
    assert "\n### Part\n" in (tmp_path / "report.md").read_text()


def test_only_markdown_needs_a_package(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x,y\n1,2\n")
    (tmp_path / "b.md").write_text("# Words\n")
    command = (sys.executable, "-S", "-B", str(SKILLS / "report" / "scripts" / "report.py"))

    def without_packages(name: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*command, name], cwd=tmp_path, capture_output=True, text=True, check=False
        )

    assert without_packages("a.csv").returncode == 0
    missing = without_packages("b.md")
    assert missing.returncode == 2
    assert missing.stderr.startswith("report.py: markdown_it is missing. Run: uv run ")

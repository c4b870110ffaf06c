"""What becomes of a tool's answer."""

import base64
import re

import mcp_types as types
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from activities.mime_types import clean_mime_type
from activities.tools.mcp import limits
from activities.tools.mcp.content import result_of, safe_name
from activities.tools.mcp.redaction import Redactor
from activities.tools.mcp.results import McpFile, McpResult

PNG = base64.b64encode(b"dots").decode()


def text(words: str) -> types.TextContent:
    return types.TextContent(text=words)


def image(data: str = PNG, mime_type: str = "image/png") -> types.ImageContent:
    return types.ImageContent(data=data, mime_type=mime_type)


def blob(uri: str, mime_type: str | None = None) -> types.EmbeddedResource:
    resource = types.BlobResourceContents(uri=uri, blob=PNG, mime_type=mime_type)
    return types.EmbeddedResource(resource=resource)


def result(*parts: types.ContentBlock, **more: object) -> McpResult:
    return result_of(types.CallToolResult.model_validate({"content": list(parts), **more}))


def test_texts_are_joined() -> None:
    assert result(text("a"), text("b")) == McpResult("a\nb")


def test_an_error_of_the_tool_is_told_as_such() -> None:
    assert result(text("no"), is_error=True) == McpResult("no", is_error=True)


def test_structured_content_speaks_where_there_is_no_text() -> None:
    assert result(structured_content={"ä": 1}).text == '{"ä": 1}'
    assert result(text("one"), structured_content={"a": 1}).text == "one"


def test_images_and_sounds_become_files_of_different_names() -> None:
    sound = types.AudioContent(data=PNG, mime_type="audio/mpeg")
    made = result(image(), image(), sound)
    assert [file.name for file in made.files] == ["image.png", "image-2.png", "audio.mp3"]
    assert made.files[0] == McpFile("image.png", "image/png", b"dots")


def test_a_resource_of_text_is_text_and_one_of_bytes_is_a_file() -> None:
    words = types.TextResourceContents(uri="file:///a.txt", text="words")
    made = result(types.EmbeddedResource(resource=words), blob("file:///x/data.bin"))
    assert made.text == "words"
    assert made.files == (McpFile("data.bin", "application/octet-stream", b"dots"),)


def test_a_link_is_named() -> None:
    link = types.ResourceLink(name="report", uri="https://a.example/r", mime_type="text/html")
    assert result(link).text == "Resource 'report' (text/html): https://a.example/r"


def test_data_that_is_not_base64_is_left_out_with_a_word() -> None:
    made = result(image(data="***"), text("seen"))
    assert made.files == ()
    assert made.text == "[a file was left out: it is not valid base64]\nseen"


def test_no_text_holds_what_a_database_cannot_keep() -> None:
    assert result(text("a\x00b\ud800c")).text == "a\ufffdb?c"


def test_parts_files_and_text_are_bounded() -> None:
    parts = [text("x")] * (limits.MAX_CONTENT_PARTS + 2)
    assert result(*parts).text.endswith("[2 further parts of the answer were left out]")
    files = result(*[image()] * (limits.MAX_FILES + 1))
    assert len(files.files) == limits.MAX_FILES
    assert "more than 64" in files.text
    long = result(text("x" * (limits.MAX_TEXT_CHARACTERS + 5))).text
    assert long.endswith("[5 more characters were left out]")


@pytest.mark.parametrize(
    ("uri", "name"),
    [
        ("file:///../../etc/passwd", "passwd"),
        ("file:///a/%2e%2e%2fb.txt", "b.txt"),
        ("x:///.bashrc", "bashrc"),
        ("x:///-rf", "rf"),
        ("x:///a%00b%0A.txt", "a_b_.txt"),
        ("x:///", "file"),
        ("http://[", "file"),
        ("x:///" + "a" * 500 + ".json", "a" * 80 + ".json"),
    ],
)
def test_the_name_of_a_resource_is_made_safe(uri: str, name: str) -> None:
    [file] = result(blob(uri)).files
    assert file.name == name


@given(st.lists(st.text(max_size=120), max_size=8), st.sampled_from(["image/png", "x/y"]))
def test_names_are_safe_and_unique_whatever_is_wanted(wanted: list[str], kind: str) -> None:
    names: list[str] = []
    for name in wanted:
        names.append(safe_name(name, kind, names))
    assert len({name.lower() for name in names}) == len(names)
    for name in names:
        assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}", name)


@pytest.mark.parametrize("kind", ["", "text", "text/html\r\nX: y", "a/b/c", "ä/b", "/"])
def test_a_type_that_is_none_becomes_unknown_bytes(kind: str) -> None:
    assert clean_mime_type(kind) == "application/octet-stream"


def test_parameters_of_a_type_are_dropped() -> None:
    assert clean_mime_type("Text/HTML; charset=utf-8") == "text/html"


def test_half_of_a_secret_is_not_left_where_a_text_is_cut_off() -> None:
    secret = "sk-very-secret-value"
    padding = "x" * (limits.MAX_TEXT_CHARACTERS - len(secret) // 2)
    answer = types.CallToolResult.model_validate({"content": [text(padding + secret)]})
    redacted = Redactor({"KEY": SecretStr(secret)})
    assert secret[:8] not in result_of(answer, redacted).text

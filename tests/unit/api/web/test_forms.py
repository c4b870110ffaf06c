"""What forms send: where one is led afterwards, and texts."""

from io import BytesIO

import pytest
from starlette.datastructures import FormData, UploadFile

from api.errors import InvalidRequest
from api.web.forms import key_of, own_path, text_of, texts_of


@pytest.mark.parametrize("path", ["/", "/tasks/new?type=agent", "/agents/x?tab=memory#end"])
def test_paths_of_our_own_are_followed(path: str) -> None:
    assert own_path(path) == path


@pytest.mark.parametrize(
    "path",
    [
        "",
        "tasks",
        "//evil.example/",
        "/\\evil.example",
        "https://evil.example",
        "javascript:alert(1)",
        "/a\r\nSet-Cookie: x=y",
        "/\t/evil.example",
    ],
)
def test_other_addresses_lead_to_the_beginning(path: str) -> None:
    assert own_path(path) == "/"


def test_lines_end_as_they_do_everywhere_else() -> None:
    assert text_of(FormData([("note", "a\r\nb")]), "note") == "a\nb"


@pytest.mark.parametrize("key", ["k" * 256, "kä", "a\tb", "a\nb"])
def test_a_key_of_a_form_is_held_to_what_the_header_is(key: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        key_of(FormData([("key", key)]))
    assert [each.pointer for each in refused.value.problems] == ["/key"]


def test_a_form_needs_no_key_and_one_that_can_be_kept_is_taken() -> None:
    assert key_of(FormData()) is None
    assert key_of(FormData([("key", "k" * 255)])) == "k" * 255


def test_what_was_not_sent_or_is_a_file_is_no_text() -> None:
    form = FormData([("file", UploadFile(BytesIO(b"x")))])
    assert text_of(form, "note") == text_of(form, "file") == ""
    assert texts_of(form, "file") == []

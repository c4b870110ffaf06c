"""What the doctor says of the keys that it has, and of those that were used."""

from collections.abc import Sequence

import pytest

from deploy.doctor.payloads import KeysSeen, finding


@pytest.mark.parametrize(
    ("key_ids", "seen", "expected"),
    [
        ((), None, "in plain"),
        (("0a1b",), None, "with the key 0a1b; API and workers must all have it"),
        (("0a1b",), KeysSeen("0a1b", "0a1b"), "the API wrote with the key 0a1b, a worker wrote"),
        (("0a1b", "2c3d"), KeysSeen("2c3d", "0a1b"), "the API wrote with the key 2c3d"),
        (("0a1b",), KeysSeen("0a1b"), "In the latest task the API wrote with the key 0a1b"),
        (("0a1b",), KeysSeen(None, None), "the API wrote in plain, a worker wrote in plain"),
        ((), KeysSeen(None, None), "AGENTOS_CODEC_KEY would encrypt them"),
    ],
)
def test_keys_that_fit_are_told_by_their_ids(
    key_ids: Sequence[str], seen: KeysSeen | None, expected: str
) -> None:
    found = finding(key_ids, seen)
    assert found.ok
    assert expected in found.detail


@pytest.mark.parametrize("seen", [KeysSeen("4e5f", "0a1b"), KeysSeen("0a1b", "4e5f")])
@pytest.mark.parametrize("key_ids", [(), ("0a1b",)])
def test_a_key_that_is_not_ours_is_wrong(key_ids: Sequence[str], seen: KeysSeen) -> None:
    found = finding(key_ids, seen)
    assert not found.ok
    assert "with the key 4e5f" in found.detail
    assert "AGENTOS_CODEC_KEY" in found.remedy

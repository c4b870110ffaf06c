"""What the doctor says of the keys of secrets, and of those that secrets were sealed with."""

from collections.abc import Mapping

import pytest

from deploy.doctor.secrets import SecretKeys, finding


@pytest.mark.parametrize(
    ("keys", "sealed", "expected"),
    [
        (SecretKeys(), {}, "no key is set; 0 are set"),
        (SecretKeys(["0a1b"]), {"0a1b": 2}, "AGENTOS_SECRETS_KEY is the key 0a1b; 2 are set"),
        (SecretKeys(["0a1b", "2c3d"]), {"2c3d": 1, "0a1b": 1}, "; 2 are set"),
        (SecretKeys([], ["0a1b"]), {"0a1b": 1}, "`agentos up` has the key 0a1b; 1 are set"),
        (SecretKeys(["0a1b"], ["2c3d", "0a1b"]), {"2c3d": 1}, "has the key 2c3d, 0a1b; 1 are set"),
    ],
)
def test_secrets_that_can_be_opened_are_told_with_the_ids_of_their_keys(
    keys: SecretKeys, sealed: Mapping[str, int], expected: str
) -> None:
    found = finding(keys, sealed)
    assert found.ok
    assert expected in found.detail


@pytest.mark.parametrize(
    ("keys", "sealed", "expected"),
    [
        (
            SecretKeys(["0a1b"]),
            {"0a1b": 1, "4e5f": 3},
            "some cannot be opened: 3 with the key 4e5f",
        ),
        (SecretKeys(), {"4e5f": 1}, "no key is set; some cannot be opened: 1 with the key 4e5f"),
        (SecretKeys(["4e5f"], ["0a1b"]), {"4e5f": 1}, "some cannot be opened: 1 with the key 4e5f"),
        (
            SecretKeys(["4e5f"], ["0a1b"]),
            {},
            "has the key 0a1b, and AGENTOS_SECRETS_KEY is the key",
        ),
    ],
)
def test_secrets_that_nobody_can_open_are_wrong(
    keys: SecretKeys, sealed: Mapping[str, int], expected: str
) -> None:
    found = finding(keys, sealed)
    assert not found.ok
    assert expected in found.detail
    assert "AGENTOS_SECRETS_KEY" in found.remedy

"""Which files of ``secrets/`` are in a backup: those that a restore takes."""

from pathlib import Path

import pytest

from deploy.backup.errors import TooManySecrets
from deploy.backup.manifest import MAX_SECRET_BYTES, MAX_SECRETS, kind_of, secret_part
from deploy.backup.secret_files import read_secrets


def test_the_secrets_of_a_stack_are_taken(tmp_path: Path) -> None:
    for name in ("secrets-key", "s3-cert.pem"):
        (tmp_path / name).write_text(name)
    (tmp_path / ".secrets-key-x1").touch()  # One that is just being written.
    found = read_secrets(tmp_path)
    assert found.content == {"s3-cert.pem": b"s3-cert.pem", "secrets-key": b"secrets-key"}
    assert (found.left_out, found.warning) == ([], "")


def test_what_a_restore_would_refuse_is_left_out_and_named(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(b"x" * (MAX_SECRET_BYTES + 1))
    (tmp_path / "folder").mkdir()
    (tmp_path / "whole").write_bytes(b"x" * MAX_SECRET_BYTES)
    odd = ("secrets-key_old", "README", "secrets-key~", "key.OLD", "a" * 64)
    for name in odd:
        (tmp_path / name).touch()
    found = read_secrets(tmp_path)
    assert list(found.content) == ["whole"]
    assert all(kind_of(secret_part(name)) == "secret" for name in found.content)
    assert set(found.left_out) == {"large", "folder", *odd}
    assert "README" in found.warning
    assert found.warning.endswith(" and 2 more")


def test_more_files_than_a_restore_takes_are_no_backup(tmp_path: Path) -> None:
    for number in range(MAX_SECRETS + 1):
        (tmp_path / f"key-{number}").touch()
    with pytest.raises(TooManySecrets, match=r"101 files .* takes 100"):
        read_secrets(tmp_path)

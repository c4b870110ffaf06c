"""Small objects on their way to S3, each in one request: a step's files most of all.

``Minio.put_object`` and ``stat_object`` make requests that may have any form, and take half as much
processor time again. What two of these have in common is worked out once; the signature is minio's,
and so is what a refusal is told by.
"""

from hashlib import sha256
from typing import cast
from urllib.parse import urlunsplit

from minio import time
from minio.credentials.credentials import Credentials
from minio.error import InvalidResponseError, S3Error
from minio.helpers import BaseURL, DictType, md5sum_hash
from minio.signer import sign_v4_s3
from urllib3 import BaseHTTPResponse, PoolManager

from activities.store.options import S3Options
from activities.store.s3_address import region_of

_STORED = (200, 204)
_FOUND = 200
_SHA256_OF_NOTHING = sha256().hexdigest()


def small_objects(options: S3Options, manager: PoolManager) -> "SmallObjects | None":
    """None where more than the settings is needed: AWS is asked for the region of a bucket that
    neither names, and a bucket open to all takes no signature."""
    region = BaseURL(options.endpoint, options.region or region_of(options.endpoint)).region
    return SmallObjects(options, region, manager) if region and options.access_key else None


class SmallObjects:
    """Puts objects into a bucket whose ``region`` is known, over connections of ``manager``."""

    def __init__(self, options: S3Options, region: str, manager: PoolManager) -> None:
        base = BaseURL(options.endpoint, region)
        # Of any object of the bucket: where its name goes depends on the host.
        url = base.build(method="PUT", region=region, bucket_name=options.bucket, object_name="-")
        self._url = url._replace(path=url.path.removesuffix("-"))
        self._region = region
        self._credentials = Credentials(options.access_key, options.secret_key)
        self._is_https = base.is_https
        # With its bounds of time, retries and checks of certificates.
        self._connections = manager.connection_from_url(urlunsplit(url))

    def put(self, key: str, body: bytes, sha256: str, mime_type: str) -> None:
        """Store ``body``, whose SHA-256 goes with it: a store that checks it takes no other bytes.
        The key has nothing that a URL would escape.

        Raises:
            S3Error, InvalidResponseError, urllib3's HTTPError: as ``Minio.put_object``.
        """
        headers: DictType = {"Content-Type": mime_type, "Content-Length": str(len(body))}
        if self._is_https:  # As minio does: buckets with locks on their objects insist on it.
            headers["Content-MD5"] = str(md5sum_hash(body))
        response = self._ask("PUT", key, headers, sha256, body)
        if response.status not in _STORED:
            raise _refusal(response)

    def size_of(self, key: str) -> int | None:
        """How many bytes an object has; None where that cannot be told, for whatever reason.

        Raises:
            urllib3's HTTPError: the store cannot be reached.
        """
        response = self._ask("HEAD", key, {}, _SHA256_OF_NOTHING)
        size = response.headers.get("content-length")
        return int(size) if response.status == _FOUND and size else None

    def _ask(
        self, method: str, key: str, headers: DictType, digest: str, body: bytes | None = None
    ) -> BaseHTTPResponse:
        url = self._url._replace(path=self._url.path + key)
        date = time.utcnow()
        headers |= {
            "Host": url.netloc,
            "x-amz-content-sha256": digest,
            "x-amz-date": time.to_amz_date(date),
        }
        sign_v4_s3(  # Adds to the headers.
            method=method,
            url=url,
            region=self._region,
            headers=headers,
            credentials=self._credentials,
            content_sha256=digest,
            date=date,
        )
        return self._connections.urlopen(
            method, url.path, body=body, headers=cast(dict[str, str], headers)
        )


def _refusal(response: BaseHTTPResponse) -> S3Error | InvalidResponseError:
    kind = response.headers.get("content-type", "")
    if response.data and "application/xml" in kind.split(";"):
        return S3Error.fromxml(response)
    said = response.data.decode("utf-8", "replace") or None  # A proxy answered, say.
    return InvalidResponseError(response.status, kind, said)

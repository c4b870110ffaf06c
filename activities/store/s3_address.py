"""Where an S3 store is, as its client understands it."""

from minio.helpers import BaseURL

DEFAULT_REGION = "us-east-1"
_MEANT = (
    "it must be the address of a store, such as https://s3.eu-central-1.amazonaws.com, without "
    "bucket, path and user"
)


def region_of(endpoint: str) -> str:
    """The region that a host of AWS has in its name; stores of others take the default.

    Raises:
        ValueError: the client cannot use the endpoint.
    """
    return BaseURL(endpoint, None).region or DEFAULT_REGION


def check_endpoint(endpoint: str) -> None:
    """Raises ``ValueError``, which says why the client cannot use the endpoint."""
    try:
        region_of(endpoint)
    except ValueError:  # What it says may quote a password.
        raise ValueError(_MEANT) from None

"""Units of size, in bytes (and of text, in characters)."""

KIBIBYTE = 1024
MEBIBYTE = 1024 * KIBIBYTE

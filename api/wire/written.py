"""Numbers that know how they were written: ``1.10`` in YAML is a number, and meant as text."""


class WrittenFloat(float):
    """Calculates as any other; as text it is what was written."""

    _text: str

    def __new__(cls, text: str) -> "WrittenFloat":
        number = super().__new__(cls, text)
        number._text = text
        return number

    def __str__(self) -> str:
        return self._text


class WrittenInt(int):
    """Calculates as any other; as text it is what was written."""

    _text: str

    def __new__(cls, text: str | int) -> "WrittenInt":
        # A copy is made of the number; then it is given the text.
        number = (
            super().__new__(cls, text, 0) if isinstance(text, str) else super().__new__(cls, text)
        )
        number._text = str(text)
        return number

    def __str__(self) -> str:
        return self._text

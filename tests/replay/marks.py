"""What passes through a kept run, and must not be found in its history."""

HANDLED = SECRET, PROMPT, WORDS, CONTENT, NOTE = (
    "secret-of-the-recording",
    "prompt-of-the-recording",
    "words-of-the-recording",
    "content-of-the-recording",
    "note-of-the-recording",
)

# A run is shown in Temporal's web page by the head of its prompt.
TITLE = "Do as you are told. " * 20

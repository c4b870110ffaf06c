"""Why an answer without calls did nothing, where its text shows it."""

import re

# In the templates of Hermes and Qwen, Llama, Mistral, DeepSeek, Kimi, gpt-oss, Claude and Gemini.
_CALL_MARKS = re.compile(
    r"<\|?/?(?:tool_call|tool_use|function_call|tool_calls_section|python_tag)[^>]{0,20}>"
    r"|<(?:function=|invoke |antml:)[^>]{0,60}>|<function_calls>|\[TOOL_CALLS\]"
    r"|<\uff5ctool\u2581call|```tool_(?:code|call)|<\|channel\|>commentary"
)
_BARE_CALL = re.compile(
    r"\A\s*(?:```(?:json)?\s*)?\[?\s*\{\s*\"(?:name|tool|function|action)\"\s*:.*"
    r"\"(?:arguments|parameters|args|input|action_input)\"\s*:",
    re.DOTALL,
)
_THOUGHT_MARKS = re.compile(r"<(think|thinking|thought|reasoning)>|<\|channel\|>analysis")
_SHOWN_CHARACTERS = 40

_CALL_AS_TEXT = (
    "No tool was called: you wrote a call as text ({mark}), which does nothing. Make the call "
    "through the tool calls of your API, not in the text of your answer."
)
_ONLY_THOUGHTS = (
    "No tool was called: you wrote your thoughts ({mark}) as the text of your answer, and no call "
    "after them. If the task is done, call finish with a summary; otherwise make the next call."
)


def note_on_text(text: str) -> str | None:
    """A message to the model about a call, or thoughts, that it wrote as text; None if there are
    none."""
    if note := note_on_call(text):
        return note
    if thought := _THOUGHT_MARKS.search(text):
        return _ONLY_THOUGHTS.format(mark=thought[0][:_SHOWN_CHARACTERS])
    return None


def note_on_call(text: str) -> str | None:
    """As ``note_on_text``, about a call only."""
    if call := _CALL_MARKS.search(text):
        return _CALL_AS_TEXT.format(mark=call[0][:_SHOWN_CHARACTERS])
    if _BARE_CALL.match(text):
        return _CALL_AS_TEXT.format(mark="as JSON")
    return None

"""The offline model: an OpenAI-compatible server with keyword rules behind it.

It is not a language model, and says so wherever it speaks. It lets the whole HTTP path run, from
agent to tools, where there is no key and no network; with scripts, it lets tests say what a model
answers.
"""

MODEL = "offline-rules"
LABEL = f"{MODEL} (keyword rules, not a language model)"

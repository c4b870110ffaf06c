"""A conversation with an agent in a terminal: what is drawn, what is typed, and the two together.

``talk`` keeps what was said and decides what is printed; it knows no terminal. ``editor`` and
``keys`` make lines of what is typed, ``screen`` draws, and ``session`` has the conversation.
"""

"""From what an agent did to a pipeline that does it again, without a model.

``compiling`` is the whole of it. ``files`` knows which file a name meant at the time of a call,
``readings`` what a call says and which files it needs, ``selection`` which calls count, ``words``
what a model can only have read in the data, and ``steps`` writes it down.
"""

"""Removing what is not kept any longer, a bounded number of rows at a time.

A sweep is an object in ``table.SWEEPS``. Each of its steps is one short transaction on what one
team has, and notes in it how far it has come, so that a pass that is cut off costs nothing.
"""

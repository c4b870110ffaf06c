"""What others cost for the same three sandboxed steps. Each is installed when it is asked for.

They are no dependency of this project, and nothing else imports them.
"""

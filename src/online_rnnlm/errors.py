"""Mistakes that a user can mend: shown as one line, without a traceback."""


class UserError(Exception):
    """A wrong setting, file or surrounding; its message says what, where and what is allowed."""


ERROR_MARK = "online-rnnlm: error: "
"""How every such line begins, on the terminal and in a job's log."""

"""`python -m online_rnnlm` is the command `online-rnnlm`, and both begin here."""

import signal


def main() -> None:
    """Run the command; until it is loaded, Ctrl-C ends the process without a traceback."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from online_rnnlm.commands import _main  # noqa: PLC0415  # it takes a moment

    _main.main()


if __name__ == "__main__":
    main()

"""`python -m online_rnnlm` is the command `online-rnnlm`."""

from online_rnnlm.process.stop_signals import hide_interrupts

if __name__ == "__main__":
    hide_interrupts()  # the imports of the next line take a moment
    from online_rnnlm.commands._main import main

    main()

"""`python -m online_rnnlm` is the command `online-rnnlm`."""

from online_rnnlm.commands._main import main

if __name__ == "__main__":
    main()

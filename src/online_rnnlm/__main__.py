"""`python -m online_rnnlm` is `online-rnnlm`."""

from online_rnnlm.cli import main

if __name__ == "__main__":
    main()

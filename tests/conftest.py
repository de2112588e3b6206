"""What all tests need before numerical libraries are imported."""

from online_rnnlm.processes import prepare_process

prepare_process()

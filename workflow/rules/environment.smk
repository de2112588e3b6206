# What the workflow and its jobs find and heed: this project's code, this environment's programs, a
# scheduler's warning, and a folder that can be written to.

import logging
import signal

# The code of a checkout runs in it, even if another version is installed, and jobs find this
# environment's programs even if it is not activated.
PROJECT = Path(str(workflow.current_basedir)).parents[1]
if (PROJECT / "src").is_dir():
    sys.path.insert(0, str(PROJECT / "src"))
    os.environ.update(PYTHONPATH=f"{PROJECT / 'src'}:{os.getenv('PYTHONPATH', '')}")
os.environ.update(PATH=":".join([str(Path(sys.executable).parent), *os.get_exec_path()]))
# A scheduler warns all processes of a job by this signal. A training heeds it, all other jobs go on,
# and Snakemake waits for their end.
signal.signal(signal.SIGUSR1, signal.SIG_IGN)


# Ctrl-C reaches the jobs, too. Snakemake would report the end of each as an error, with its command.
def on_interrupt(number, frame):
    logger.addFilter(lambda record: record.levelno < logging.ERROR)
    signal.default_int_handler(number, frame)


# Snakemake does not expect Ctrl-C before its first job.
def on_uncaught(kind, error, trace):
    if kind is not KeyboardInterrupt:
        sys.__excepthook__(kind, error, trace)


if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # `nohup` and `&` ignore it
    signal.signal(signal.SIGINT, on_interrupt)
    sys.excepthook = on_uncaught

if not os.access(os.curdir, os.W_OK):
    sys.exit(
        f"online-rnnlm: error: {os.getcwd()}: cannot be written to: Snakemake keeps files of its "
        "own there, even in a dry run; `--directory` names another folder"
    )

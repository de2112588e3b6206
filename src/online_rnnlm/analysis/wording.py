"""The sentences of the report beside its tables and figures.

`Markup` is HTML, and plain text is escaped by the templates.
"""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from online_rnnlm.analysis.results import Results
from online_rnnlm.analysis.significance import LEVEL
from online_rnnlm.corpora.records import Statistics
from online_rnnlm.storage.audits import Audit
from online_rnnlm.storage.experiments import UntestedClaim

ORIGINS_OF_SETTINGS = Markup(
    "<strong>Published</strong>: given in the author's summary of the paper. "
    "<strong>RNNLM Toolkit's</strong>: the original toolkit's own value, taken from its source. "
    "<strong>Assumed</strong>: chosen here, in the paper's spirit, because the paper itself could "
    "not be consulted. The sizes of the networks are our choice, too."
)
LIMITS: Sequence[Markup] = (
    Markup(
        "The text and the settings are not the paper's: the numbers cannot be compared with the "
        "paper's."
    ),
    Markup(
        "A learning vector, a cache and learning weights use each test word after it was "
        "predicted; a static network does not. That is the idea of the paper, but it means that "
        "the systems do not have the same information."
    ),
    Markup(
        "A cache remembers words from earlier sentences; a vector that is reset at every sentence "
        "does not. If sentences were shuffled, the sentence before says little about the next."
    ),
    Markup(
        "A frozen network is not a fair static one: its weights have learnt to rely on the vector. "
        "The smallest static network with at least as many parameters is a fair one."
    ),
    Markup(
        "Perplexity counts <code>&lt;/s&gt;</code> and <code>&lt;unk&gt;</code>, and can be "
        "compared only on the same text with the same vocabulary."
    ),
    Markup(
        "Words per second were measured on the machine that trained the networks, where other "
        "programs may have run at the same time."
    ),
)


def about_networks(results: Results) -> str:
    """Return a note on the networks' names, their training text, and a single seed."""
    said = [
        "M/D stands for M hidden units and a vector of D numbers, which keeps learning in testing; "
        "0 is a static network."
    ]
    for name, texts in results.corpora.items():
        order = "in order" if results.experiment.corpora[name].keeps_order else "shuffled"
        said.append(f"{name}: {texts.splits['train'].tokens:,} training tokens, {order}.")
    if not results.several_seeds:
        said.append("One seed: nothing here shows how much another one would change.")
    return " ".join(said)


def how_tested(results: Results) -> Markup:
    """Return the note that explains the claims and the test that decides them."""
    chance = Markup("that allows for chance in the test text")
    last = Markup(
        " There is one seed: the verdicts allow for chance in the test text, but not for chance in "
        "training."
    )
    if results.several_seeds:
        chance += Markup(" and in the seeds, of both networks by themselves (Welch)")
        last = Markup("")
    return Markup(
        "Claim a is our reading of the author's summary (EMNLP 2015), which says, in our words, "
        "that updating only a small part of the model in testing gives better results with faster "
        "execution and fewer parameters; b to e take its parts one by one, f and g are questions "
        "of this project. An interval is a 95 % interval {chance}. The text's pieces are articles; "
        "where these are not known, blocks of consecutive sentences, or, if they were shuffled, "
        "sentences. A claim is supported if the p-value, corrected by Holm's method for all "
        "comparisons, is below {level} and the perplexity is lower; refuted if it is higher; else "
        "undecided. Time is processor time, with the networks timed in turn; of a network with "
        "something added, that of its tests.{last}"
    ).format(chance=chance, level=LEVEL, last=last)


def why_not_tested(results: Results, untested: UntestedClaim) -> str:
    """Return a line with a network, the claim, and the reason why it is not tested."""
    where = f" on {untested.corpus}" if results.several_corpora else ""
    return f"{untested.row}{where}: {untested.claim} — {untested.reason}"


def source_of(corpus: str, statistics: Statistics) -> Markup:
    """Return the title, the licence and the origin of a corpus's text."""
    source = statistics.source
    licence = Markup(" Licence: {}.").format(source.licence) if source.licence else ""
    return Markup("<strong>{}</strong>: {}.{} From {}.").format(
        corpus, source.title, licence, source.origin
    )


def said_of_audits(audits: Sequence[Audit]) -> str:
    """Return a sentence on the audit: all networks pass it, or these fail, with the reasons."""
    failed = [f"{audit.name} ({audit.failure})" for audit in audits if audit.failure]
    if failed:
        return f"The audit of the networks is not passed: {'; '.join(failed)}."
    return (
        f"The audit of the networks is passed by all {len(audits)}: no word is known before it is "
        "scored, the probabilities of all words add up to 1, and nothing is kept over a reset "
        "(docs/audit.md)."
    )


def how_to_make_again(results: Results) -> Markup:
    """Return the text before the command that makes a file of the report again."""
    return Markup(
        "The same configuration, code and seed give the same bits on the same machine. Seeds: {}. "
        "This command, in the project's folder and environment, makes a file of this page again, "
        "be it a table, a picture or a run's result:"
    ).format(", ".join(map(str, results.experiment.seeds)))

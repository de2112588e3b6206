"""The sentences of the report that depend on results; those of its checklist are in `checklist`.

`Markup` is HTML; the templates escape plain text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from markupsafe import Markup

from online_rnnlm.analysis.claims import EQUALLY_LARGE
from online_rnnlm.analysis.opponents import headline_on, opponents_of
from online_rnnlm.analysis.results import NO_NETWORK, Results
from online_rnnlm.analysis.significance import LEVEL
from online_rnnlm.analysis.systems import FinishedNetwork
from online_rnnlm.analysis.tables.values import interval, p_value, signed
from online_rnnlm.analysis.trainings import Trainings
from online_rnnlm.core.way import NONE
from online_rnnlm.corpora.records import Statistics
from online_rnnlm.storage.audits import Audit
from online_rnnlm.storage.experiments import Claim, Claims, UntestedClaim, Verdict
from online_rnnlm.storage.paths import ExperimentDirectory

LEFT_OUT = (
    "A network is left out of every table, figure and claim below if one of its runs is missing, "
    "or the test of one, with its vector frozen or learning as in training."
)
OF_CHECKLIST = Markup("The items of NAACL's checklist (2021), in our words.")
SETTINGS = "Settings"
MAKE_AGAIN = "How to make these numbers again"
LIMITS = "Limits"
"""The headings of the last sections; those before are the catalogue's."""
ORIGINS_OF_SETTINGS = Markup(
    "<strong>Published</strong>: given in the author's summary of the paper. "
    "<strong>RNNLM Toolkit's</strong>: the original toolkit's own value, taken from its source. "
    "<strong>Assumed</strong>: chosen here, in the paper's spirit, because the paper itself could "
    "not be consulted. The sizes of the networks are our choice, too."
)
KNOWN_LIMITS: Sequence[Markup] = (
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
    Markup("Times were measured on a machine where other programs may have run at the same time."),
)
_IN_SENTENCE: Mapping[Verdict, str] = {
    "supported": "the vector is better",
    "refuted": "the static network is better",
    "undecided": "no clear difference",
}


def findings(results: Results, claims: Sequence[Claim]) -> list[str]:
    """One sentence for each corpus: its headline against static networks.

    A corpus on which no network has finished has none; if none has, a sentence says so.
    """
    if not results.networks:
        return [NO_NETWORK]
    found = []
    for corpus in results.compared_corpora:
        network = headline_on(results, corpus)
        where = f"On {corpus}, " if results.several_corpora else ""
        learning = ", whose vector keeps learning," if network.has_vector else ""
        reached = f"reaches a test perplexity of {network.main.perplexity().mean():.1f}"
        static = opponents_of(results, network)
        if not network.has_vector:
            said = "; no network with a vector has finished, so no claim can be tested."
        elif not static:
            said = f", and {network.tested[NONE].perplexity().mean():.1f} frozen."
        else:
            sides = " and ".join(_static_side(network, opponent, claims) for opponent in static)
            said = f", against {sides}{'' if results.several_seeds else '; one seed'}."
        found.append(f"{where}{network.network_name}{learning} {reached}{said}")
    return found


def _static_side(vector: FinishedNetwork, static: FinishedNetwork, claims: Sequence[Claim]) -> str:
    """The perplexity of a static network, its costs beside the vector's network, and a verdict."""
    compared = [
        claim
        for claim in claims
        if (claim.corpus, claim.row) == (vector.corpus, vector.network_name)
        and claim.comparison.theirs.network == static.network_name
        and claim.letter in EQUALLY_LARGE
    ]
    more = round(100 * (static.parameters / vector.parameters - 1))
    said = f"{abs(more)} % {'more' if more > 0 else 'fewer'} parameters" if more else "as large"
    if compared:
        ours = compared[0].comparison.ours.seconds_per_word
        theirs = compared[0].comparison.theirs.seconds_per_word
        longer = round(100 * (theirs / ours - 1))
        said += f", {abs(longer)} % {'more' if longer > 0 else 'less'} time" if longer else ""
        said += f": {_IN_SENTENCE[compared[0].verdict]}"
    return f"{static.main.perplexity().mean():.1f} of the static {static.network_name} ({said})"


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


def small_texts(results: Results) -> list[str]:
    """A warning for each corpus whose validation or test text is larger than its training text."""
    found = []
    for name, corpus in results.corpora.items():
        train, *others = (corpus.splits[split].sentences for split in ("train", "valid", "test"))
        if train < max(others):
            found.append(
                f"Warning: {name} has {train:,} sentences to train on, fewer than the "
                f"{max(others):,} to choose or to test on: a larger text is needed, or lower "
                "`valid_sentences` and `test_sentences`."
            )
    return found


def claim_numbers(claim: Claim) -> str:
    """A claim's values in one line: the change, its interval and p-values, and the costs."""
    found = claim.comparison
    ours = found.ours
    theirs = found.theirs
    said = [
        f"{ours.test_perplexity:.1f} against {theirs.test_perplexity:.1f} "
        f"({signed(found.change_percent)} %; 95 % interval {interval(found.interval_percent)})",
        f"p {p_value(found.p_value)}, corrected {p_value(claim.p_value_holm)}, "
        f"over {found.pieces:,} {found.drawn}s",
        f"{ours.parameters:,} against {theirs.parameters:,} parameters",
        f"{ours.multiply_adds_per_word:,.0f} against {theirs.multiply_adds_per_word:,.0f} "
        "multiply-adds per word",
        f"{1e6 * ours.seconds_per_word:.2f} against {1e6 * theirs.seconds_per_word:.2f} µs "
        "per word",
    ]
    if found.seconds_change_percent is not None:
        said.append(f"95 % interval of the time {interval(found.seconds_change_percent)}")
    return "; ".join(said)


def why_no_verdicts(claims: Claims) -> str:
    """Return the sentence in the place of the verdicts if no claim is tested."""
    reason = "" if claims.not_tested else ": no network with a vector has finished"
    return f"No claim can be tested{reason}."


def verdict_in_words(results: Results, claim: Claim) -> str:
    """Return the verdict on a claim, which says if it is that of one seed."""
    return claim.verdict.capitalize() + ("" if results.several_seeds else " (one seed)")


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
        "of this project. An interval is a 95 % interval {chance}. The text's pieces, which count "
        "as drawn by chance, are its articles if it is in order, or blocks of consecutive "
        "sentences if these are not known. If it is shuffled, they are sentences, or blocks if one "
        "of the two sides never forgets what it has read. A claim is supported if the p-value, "
        "corrected by Holm's method for all comparisons, is below {level} and the perplexity is "
        "lower; refuted if it is higher; else undecided. Time is processor time or, on a GPU or by "
        "Theano, the time that passed, with the networks timed in turn; of a network with "
        "something added, or whose weights learn, that of its tests.{last}"
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
    """Return a sentence on the audit: all networks pass it, or some fail, with the reasons."""
    if not audits:
        return "No network has been audited, as none has finished."
    failed = [f"{audit.name} ({audit.failure})" for audit in audits if audit.failure]
    if failed:
        return f"The audit of the networks is not passed: {'; '.join(failed)}."
    return (
        f"The audit of the networks is passed by all {len(audits)}: no word is known before it is "
        "scored, the probabilities of all words add up to 1, and nothing is kept over a reset, "
        "where there is one (docs/audit.md)."
    )


def how_to_make_again(results: Results) -> Markup:
    """Return the text before the command that makes a file of the report again."""
    return Markup(
        "The same configuration, code and seed give the same bits on the same machine. Seeds: {}. "
        "This command, in the project's folder and environment, makes a file of this page again, "
        "be it a table, a picture or a run's result:"
    ).format(", ".join(map(str, results.experiment.seeds)))


def files_to_make(directory: ExperimentDirectory) -> dict[str, Path]:
    """Return examples of files that this command makes, by what they are."""
    return {
        "a table": directory.table("TABLE", "csv"),
        "a picture": directory.figure("PICTURE", "svg"),
        "the claims": directory.claims,
        "a run, by its name in the table below": directory.run("RUN").result,
    }


def not_counted(trainings: Trainings) -> str:
    """Return what the hours of training do not count, to be put after them; "" if it is nothing."""
    return ", without the epochs in which training diverged" if trainings.some_diverged else ""

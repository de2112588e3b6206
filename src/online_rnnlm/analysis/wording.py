"""The sentences of the report that are made from results; all other text is in the templates."""

from __future__ import annotations

from collections.abc import Sequence

from online_rnnlm.analysis.opponents import headline_on, opponents_of
from online_rnnlm.analysis.results import NO_NETWORK, Results
from online_rnnlm.analysis.systems import FinishedNetwork
from online_rnnlm.analysis.tables.values import interval, p_value, signed
from online_rnnlm.core.adaptation import NONE
from online_rnnlm.storage.audits import Audit
from online_rnnlm.storage.experiments import Claim


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
        learning = ", whose vector keeps learning," if network.learns else ""
        reached = f"has a test perplexity of {network.main.perplexity().mean():.1f}"
        static = opponents_of(results, network)
        if not network.learns:
            said = "; no network with a vector has finished, so no claim can be tested."
        elif not static:
            said = f", and {network.tested[NONE].perplexity().mean():.1f} frozen."
        else:
            sides = "; ".join(_against(network, opponent, claims) for opponent in static)
            said = f": {sides}{'' if results.several_seeds else '; one seed'}."
        found.append(f"{where}{network.network_name}{learning} {reached}{said}")
    return found


def _against(vector: FinishedNetwork, static: FinishedNetwork, claims: Sequence[Claim]) -> str:
    """The changes from a static network to the vector's, of perplexity and of all costs, with the
    verdict if a claim is about both."""
    ours = vector.main
    theirs = static.main
    change = _rounded_change(ours.perplexity().mean(), theirs.perplexity().mean())
    better = f"{abs(change)} % {'below' if change < 0 else 'above'}" if change else "equal to"
    parameters = _more(ours.parameters, theirs.parameters, "as many parameters", "fewer")
    adds = _more(ours.multiply_adds, theirs.multiply_adds, "as many multiply-adds", "fewer")
    time = _more(ours.seconds_per_word, theirs.seconds_per_word, "as much time", "less")
    said = f"{better} the static {static.network_name}, for {parameters}, {adds} and {time}"
    verdicts = {
        (claim.corpus, claim.comparison.ours.name, claim.comparison.theirs.name): claim.verdict
        for claim in claims
    }
    verdict = verdicts.get((vector.corpus, ours.name, theirs.name))
    return f"{said} ({verdict})" if verdict else said


def _rounded_change(ours: float, theirs: float) -> int:
    """The change from their value to ours in whole per cent."""
    return round(100 * (ours / theirs - 1))


def _more(ours: float, theirs: float, equal: str, less: str) -> str:
    """A change of a cost, such as `5 % more parameters`; `equal` says that there is none."""
    change = _rounded_change(ours, theirs)
    what = equal.rpartition(" ")[2]
    return f"{abs(change)} % {'more' if change > 0 else less} {what}" if change else equal


def about_networks(results: Results) -> str:
    """Return a note on the networks' names, their training text, and a single seed."""
    said = [
        "M/D stands for M hidden units and a vector of D numbers, which keeps learning in testing; "
        "0 is a static network."
    ]
    if sum(network.learns for network in results.networks) > 1:
        said.append(
            "The headline is about the first network with a vector, of the hidden size that most "
            "networks have, whatever its results are."
        )
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

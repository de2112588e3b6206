"""The description of a trained model, for people and for programs."""

from __future__ import annotations

from online_rnnlm.config.runs import Run
from online_rnnlm.corpora.records import TextPreparation
from online_rnnlm.use.model_file import ModelDescription


def as_text(description: ModelDescription) -> str:
    """Return the description as lines of a name and a value."""
    values = _values(description)
    width = max(map(len, values))
    return "\n".join(f"{name:{width}}  {value}" for name, value in values.items())


def in_short(description: ModelDescription) -> str:
    """Return the network, its vocabulary, its text and its perplexity in one line."""
    values = _values(description)
    shown = (values[name] for name in ("network", "vocabulary", "text"))
    return f"{', '.join(shown)}, perplexity {values['perplexity']}"


def _values(description: ModelDescription) -> dict[str, str]:
    """Return what a person wants to know of a model, by its name."""
    settings, source = description.settings, description.source
    return {
        "network": Run(settings=settings).model,
        "run": description.run,
        "parameters": f"{description.parameters:,}",
        "vocabulary": f"{description.vocabulary_size:,} words in {description.classes} classes",
        "document vector": _vector(description),
        "unit of text": settings.unit_of_text,
        "perplexity": ", ".join(f"{v:.2f} on {k}" for k, v in description.perplexity.items()),
        "text": source.title,
        "licence": source.licence or "not known",
        "preparation": _preparation(description.preparation),
        "trained": f"{description.epochs} epochs, until {description.ended:%Y-%m-%d %H:%M} UTC",
        "identity": description.identity,
    }


def _vector(description: ModelDescription) -> str:
    settings = description.settings
    if not settings.document_size:
        return "none"
    return f"{settings.document_size} numbers; rate {settings.document_rate:g}"


def _preparation(rules: TextPreparation) -> str:
    if rules.tokenised:
        return "none: the text was tokenised already"
    language = "" if rules.language == "any" else f"rules of {rules.language.capitalize()}, "
    case = "lower case" if rules.lowercase else "case kept"
    return f"{language}{case}, {'NFC' if rules.nfc else 'letters as they are'}"

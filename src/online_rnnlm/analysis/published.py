"""The paper's test perplexities, each with its source; `unknown` where nobody has read one off."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError, model_validator

from online_rnnlm.config.base import PositiveFloat, PositiveSize, Settings, Size
from online_rnnlm.config.messages import WrongValue, first_message
from online_rnnlm.config.yaml_files import read_mapping
from online_rnnlm.errors import UserError

UNKNOWN = "unknown"


class PublishedRow(Settings):
    """The paper's test perplexity of one model."""

    hidden_size: PositiveSize = Field(description="Hidden units, M.")
    document_size: Size = Field(description="Length of the document vector, D.")
    document_layer: Literal["output", "hidden", "both"] = Field(
        default="output", description="The layer or layers that the document vector feeds."
    )
    status: Literal["unknown", "published"] = Field(description="`published` if it is known.")
    test_perplexity: PositiveFloat | None = Field(default=None, description="Test perplexity.")
    source: str = Field(min_length=1, description="The source: paper, table and row.")

    @property
    def model(self) -> tuple[int, int, str]:
        """The model: its number of hidden units, its vector's length, and the layer that it feeds.

        Without a vector the layer means nothing, and is the default one.
        """
        layer = self.document_layer if self.document_size else "output"
        return self.hidden_size, self.document_size, layer

    @model_validator(mode="after")
    def _number_if_published(self) -> PublishedRow:
        if (self.status == "published") != (self.test_perplexity is not None):
            raise ValueError("`test_perplexity` is needed if, and only if, status is `published`")
        return self


class Published(Settings):
    """The paper's test perplexities."""

    rows: list[PublishedRow] = Field(description="A row for each model of the comparison.")

    @model_validator(mode="after")
    def _one_row_for_a_model(self) -> Published:
        models = [row.model for row in self.rows]
        for index, model in enumerate(models):
            if model in models[:index]:
                first = models.index(model)
                raise WrongValue(("rows", index), f"is of the same model as `rows[{first}]`")
        return self

    def test_perplexity(
        self, hidden_size: int, document_size: int, document_layer: str = "output"
    ) -> str:
        """The published test perplexity of a model, or `unknown`."""
        found = {row.model: row.test_perplexity for row in self.rows}
        perplexity = found.get((hidden_size, document_size, document_layer))
        return UNKNOWN if perplexity is None else str(perplexity)


def load_published(path: Path) -> Published:
    """Read `config/published.yaml`.

    Raises UserError, which names the file and the key, for a file that is not valid.
    """
    values = read_mapping(path)
    try:
        return Published.model_validate(values)
    except ValidationError as error:
        raise UserError(f"{path}: {first_message(error)}") from None

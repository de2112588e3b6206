"""The paper's test perplexities, each with its source; `unknown` where nobody has read one off."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError, model_validator

from online_rnnlm.config.base import PositiveFloat, PositiveSize, Settings, Size
from online_rnnlm.config.messages import first_message
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

    @model_validator(mode="after")
    def _number_if_published(self) -> PublishedRow:
        if (self.status == "published") != (self.test_perplexity is not None):
            raise ValueError("`test_perplexity` is needed if, and only if, status is `published`")
        return self


class Published(Settings):
    """The paper's test perplexities."""

    rows: list[PublishedRow] = Field(description="A row for each model of the comparison.")

    def test_perplexity(
        self, hidden_size: int, document_size: int, document_layer: str = "output"
    ) -> str:
        """The published test perplexity of a model, or `unknown`."""
        wanted = (hidden_size, document_size, document_layer)
        for row in self.rows:
            if (row.hidden_size, row.document_size, row.document_layer) == wanted:
                return UNKNOWN if row.test_perplexity is None else str(row.test_perplexity)
        return UNKNOWN


def load_published(path: Path) -> Published:
    """Read `config/published.yaml`.

    Raises UserError, which names the file and the key, for a file that is not valid.
    """
    values = read_mapping(path)
    try:
        return Published.model_validate(values)
    except ValidationError as error:
        raise UserError(f"{path}: {first_message(error)}") from None

"""The registered model of an experiment on a corpus: the one that is best on `valid`."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from online_rnnlm.tracking.entries import EARLIER, Entry
from online_rnnlm.tracking.library import mlflow
from online_rnnlm.tracking.models import Models

BEST = "best"
"""The alias of the version that is the best model."""


_OWNER = "directory"
"""The tag with the id of the results folder that a registered model belongs to."""
_LETTERS_OF_OWNER = 8
_log = logging.getLogger(__name__)


class BestModel:
    """A results folder's registered model, one of whose versions has the alias `best`.

    It has the given name. If another folder's model has that name already, in a store that several
    folders share, the first letters of this folder's id follow.
    """

    def __init__(self, client: Any, name: str, owner: str, *, shared: bool) -> None:
        self._client = client
        self._owner = owner
        self._name = name
        self._taken = shared and self._is_of_another()
        if self._taken:
            self._name = f"{name}-{owner[:_LETTERS_OF_OWNER]}"

    def _is_of_another(self) -> bool:
        registered = self._registered()
        return registered is not None and registered.tags.get(_OWNER, self._owner) != self._owner

    def forget_earlier(self) -> None:
        """Take the alias away from a run that has left the configuration, or the store."""
        number = self._best()
        for version in self._versions():
            is_best = str(version.version) == number
            if is_best and self._kind_of(version.run_id) in (EARLIER, None):
                self._client.delete_registered_model_alias(self._name, BEST)

    def _kind_of(self, run_id: str) -> str | None:
        """Return the kind of a run's entry; None if it was deleted for good."""
        try:
            tags: dict[str, str] = self._client.get_run(run_id).data.tags
        except mlflow().exceptions.MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            return None
        return tags.get("kind", "")

    def register(self, entries: Sequence[Entry], ids: Mapping[str, str], models: Models) -> None:
        """Give the alias to the model of the configuration that is best on `valid`.

        `ids` are MLflow's ids of the runs by their names. All runs that are compared have been
        trained on the same text and have the same vocabulary.
        """
        perplexities = {
            entry.run: value
            for entry in entries
            if entry.has_model and entry.of_configuration
            for key, value, _, _ in entry.final
            if key == "valid_perplexity"
        }
        if not perplexities:
            return
        version = self._version_of(ids[min(perplexities, key=perplexities.__getitem__)], models)
        if str(version.version) != self._best():
            self._client.set_registered_model_alias(self._name, BEST, version.version)

    def _registered(self) -> Any:
        """Return the registered model; None if there is none yet."""
        found = self._client.search_registered_models(f"name = '{self._name}'")
        return next(iter(found), None)

    def _best(self) -> str | None:
        """Return the number of the version that has the alias; None if none has it."""
        registered = self._registered()
        number = registered.aliases.get(BEST) if registered is not None else None
        return None if number is None else str(number)

    def _versions(self) -> list[Any]:
        return list(self._client.search_model_versions(f"name = '{self._name}'"))

    def _version_of(self, run_id: str, models: Models) -> Any:
        """Return the version that is made of a run's model; make it if there is none."""
        registered = self._registered()
        if registered is None:
            self._client.create_registered_model(self._name, tags={_OWNER: self._owner})
            if self._taken:
                _log.warning(
                    "a registered model of another results folder has this one's name: this one's "
                    "is `%s`",
                    self._name,
                )
        elif registered.tags.get(_OWNER) != self._owner:  # an older version made it, or a copy
            self._client.set_registered_model_tag(self._name, _OWNER, self._owner)
        version = next((one for one in self._versions() if one.run_id == run_id), None)
        if version is not None:
            return version
        [logged] = models.of(run_id)
        return self._client.create_model_version(
            self._name,
            source=logged.artifact_location,
            run_id=run_id,
            model_id=logged.model_id,
            await_creation_for=0,
        )

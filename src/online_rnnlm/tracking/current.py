"""The entries of all runs that an experiment's folder holds now."""

from __future__ import annotations

from dataclasses import replace

from online_rnnlm.config.testing import TestingSettings
from online_rnnlm.errors import UserError
from online_rnnlm.storage.asked import Asked
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.tracking.copies import Copies
from online_rnnlm.tracking.entries import EARLIER, Entry, run_entry
from online_rnnlm.tracking.reading import BeingMade, Stamp, files_in, run_names, stamp_of


class Reader:
    """A reader of an experiment's current runs, which reads a run again only if it has changed."""

    def __init__(self, directory: ExperimentDirectory) -> None:
        self._directory = directory
        self._read: dict[str, tuple[Stamp, TestingSettings | None, Entry]] = {}
        self.copies = Copies()
        """The checked copies of files in a store's folder of artifacts."""

    def state(self) -> list[Stamp]:
        """Return the stamps of all files; they differ if any file has changed."""
        runs = [self._stamp(name) for name in run_names(self._directory)]
        return [*runs, stamp_of([self._directory.report, self._directory.configuration])]

    def entries(self, asked: Asked) -> list[Entry]:
        """Return the entries of all runs that have begun; raises UserError as `run_entry` does.

        Runs that the configuration does not ask for are marked as `EARLIER`. A copy of a run's
        folder under another name has no entry: it would be a second one of the same run.
        """
        found = [self._entry(name, asked) for name in run_names(self._directory)]
        return [
            entry if _is_asked_for(entry, asked) else _as_earlier(entry)
            for entry in found
            if not _is_copy(entry)
        ]

    def _entry(self, name: str, asked: Asked) -> Entry:
        testing = asked.testing if name in asked.names else None
        while True:
            stamp = self._stamp(name)
            known = self._read.get(name)
            if known is not None and known[:2] == (stamp, testing):
                return known[2]
            # If the files change meanwhile, read again: metrics and digest must be of one state.
            try:
                self._read[name] = stamp, testing, run_entry(self._directory, name, testing)
            except UserError:
                if not self._directory.run(name).record.exists():
                    raise BeingMade(self._directory.run(name).record) from None
                if self._stamp(name) == stamp:
                    raise

    def _stamp(self, name: str) -> Stamp:
        folders = (self._directory.run(name).path, self._directory.evaluations(name))
        files = [path for folder in folders for path in files_in(folder)]
        return stamp_of([*files, *self._directory.path.glob("corpora/*/statistics.json")])


def _is_asked_for(entry: Entry, asked: Asked) -> bool:
    return entry.record is not None and asked.asks_for(entry.run, entry.record)


def _is_copy(entry: Entry) -> bool:
    return entry.record is not None and entry.record.name != entry.run


def _as_earlier(entry: Entry) -> Entry:
    return replace(entry, tags=entry.tags | {"kind": EARLIER})

"""The register as a configuration folder has it: devices.yaml, devices.csv and replacements.csv together."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path

from collector.csvfile import Sheet
from collector.folder import DEVICES_CSV, DEVICES_YAML, REPLACEMENTS_CSV, FolderReading, Origin, Problem
from collector.tables import DEVICES, REPLACEMENTS
from collector.wording import Source
from collector.yamlfile import Document, Fault
from devices.clashes import Clash
from devices.errors import Unroutable
from devices.register import Device, Register, Replacement

_LISTS = ("devices", "replacements")
"""The register's lists of entries."""


class RegisterReading:
    """One reading of the register.

    Attributes:
        register: what the files say, without the entries that are wrong, and then without what others say of these.
        whole: whether no entry was wrong.
    """

    def __init__(self, reading: FolderReading, drafts: Mapping[Path, Source]) -> None:
        self._reading = reading
        self._origins: dict[str, list[Origin]] = {key: [] for key in _LISTS}  # of everything in the register
        problems = len(reading.problems)
        tags: list[str] = []
        devices: list[Device] = []
        replacements: list[Replacement] = []
        for file, source in self._open(drafts):
            part, kept = reading.read_entries(file, source, Register, _LISTS)
            tags += part.tags
            devices += part.devices
            replacements += part.replacements
            for key, origins in self._origins.items():
                origins += [Origin(file, source, (key, entry)) for entry in kept[key]]
        self.whole = len(reading.problems) == problems
        if not self.whole:  # a device that is wrong itself would seem to be none
            replacements = []
            devices = [device.model_copy(update={"gateway": ""}) if device.gateway else device for device in devices]
        self.register = Register(tags=tags, devices=devices, replacements=replacements)

    def _open(self, drafts: Mapping[Path, Source]) -> list[tuple[Path, Source]]:
        """The files, and drafts in the place of some of them or beside them, as far as they can be read."""
        forms: dict[str, Callable[[str], Document | Sheet]] = {
            DEVICES_YAML: Document,
            DEVICES_CSV: partial(Sheet, table=DEVICES),
            REPLACEMENTS_CSV: partial(Sheet, table=REPLACEMENTS),
        }
        sources: list[tuple[Path, Source]] = []
        for name, form in forms.items():
            file = self._reading.folder / name
            if file not in drafts and file.exists() and (source := self._reading.open(file, form)) is not None:
                sources.append((file, source))
        for file, draft in drafts.items():
            self._reading.files.append(file)
            self._reading.report(file, *draft.faults)
            sources.append((file, draft))
        return sources

    def report(self, clashes: Iterable[Clash]) -> None:
        """Reports what does not fit together, each where it stands."""
        for clash in clashes:
            origin = self._find_origin(clash.path)
            hint = ""
            if clash.other:
                word = "the first one:" if clash.other[0] == clash.path[0] else "see"
                hint = f"{word} {self._find_origin(clash.other)}"
            self._reading.report(origin.file, Fault(origin.locate(clash.path[2:]), clash.message, hint))

    def _find_origin(self, path: tuple[str | int, ...]) -> Origin:
        return self._origins[str(path[0])][int(path[1])]

    def place(self, error: Unroutable) -> Problem:
        """The problem that an error of the decoder is."""
        origins = zip(self._origins["devices"], self.register, strict=True)
        origin = next(origin for origin, device in origins if device.id == error.device)
        return origin.complain((), str(error))

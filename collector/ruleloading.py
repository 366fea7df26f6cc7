"""Rules and calendars as a configuration folder has them, and what in them does not fit the rest of it."""

from collections.abc import Mapping

from collector import rulecheck
from collector.folder import CALENDARS, RULE_TESTS, RULES, FolderReading, Origin
from collector.rulecheck import Surroundings
from collector.yamlfile import Document, Fault
from rules.calendars import Calendars
from rules.rule import Rule, RuleFile


class RuleReading:
    """One reading of calendars.yaml and rules/*.yaml.

    Attributes:
        rules: what the files say, in their order, without the rules that are wrong.
        origins: where each of them was read.
        calendars: None where their file is wrong.
    """

    def __init__(self, reading: FolderReading) -> None:
        self._reading = reading
        self.rules: list[Rule] = []
        self.origins: list[Origin] = []
        self.calendars = self._read_calendars()
        for file in sorted((reading.folder / RULES).glob("[!.]*.yaml")):
            if not file.name.endswith(RULE_TESTS):
                document = reading.open(file, Document)
                if document is not None:
                    part, kept = reading.read_entries(file, document, RuleFile, ("rules",))
                    self.rules += part.rules
                    self.origins += [Origin(file, document, ("rules", entry)) for entry in kept["rules"]]

    def _read_calendars(self) -> Calendars | None:
        file = self._reading.folder / CALENDARS
        if not file.exists():
            return Calendars()
        part = self._reading.read(file, Calendars)
        return part[1] if part else None

    def by_id(self) -> Mapping[str, Origin]:
        """Where the rule of an id was read."""
        return {rule.id: origin for rule, origin in zip(self.rules, self.origins, strict=True)}

    def compare(self, surroundings: Surroundings) -> None:
        """Reports what is not there, or there twice."""
        first: dict[str, Origin] = {}
        for rule, origin in zip(self.rules, self.origins, strict=True):
            other = first.setdefault(rule.id, origin)
            if other is not origin:
                message = f"id {rule.id!r} already belongs to another rule"
                self._reading.report(origin.file, Fault(origin.locate(("id",)), message, f"the first one: {other}"))
            for misfit in rulecheck.find_misfits(rule, surroundings):
                self._reading.report(origin.file, Fault(origin.locate(misfit.path), misfit.message))

"""What can go wrong with rules."""


class RulesError(Exception):
    """Base of this package's errors; the message says where, what, and what to do.

    Attributes:
        rule: id of the rule that failed; "" where it was none.
    """

    def __init__(self, message: str, rule: str = "") -> None:
        super().__init__(message)
        self.rule = rule


class SnapshotError(RulesError):
    """A snapshot that this version cannot read."""

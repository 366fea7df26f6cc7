"""What can go wrong with rules."""


class RulesError(Exception):
    """Base of this package's errors; the message says where, what, and what to do."""


class SnapshotError(RulesError):
    """A snapshot that this version cannot read."""

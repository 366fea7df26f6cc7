"""Priorities: impact times urgency, as a matrix (ITIL 4, incident management). P1 is the first."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Literal, TypeAlias, get_args

from rules.alerts import SEVERITIES, Severity

Impact: TypeAlias = Literal["low", "medium", "high"]
"""How much of the site suffers."""

Urgency: TypeAlias = Literal["low", "medium", "high", "critical"]
"""How soon it gets worse."""

Priority: TypeAlias = Literal["P1", "P2", "P3", "P4"]

IMPACTS: tuple[Impact, ...] = get_args(Impact)
URGENCIES: tuple[Urgency, ...] = get_args(Urgency)
PRIORITIES: tuple[Priority, ...] = get_args(Priority)

Matrix: TypeAlias = Mapping[Impact, Mapping[Urgency, Priority]]

URGENCY_OF: Mapping[Severity, Urgency] = MappingProxyType(
    {"info": "low", "minor": "medium", "major": "high", "critical": "critical"}
)
"""An alert's severity says how soon it must be looked at."""

MATRIX: Matrix = MappingProxyType(
    {
        "low": {"low": "P4", "medium": "P4", "high": "P3", "critical": "P2"},
        "medium": {"low": "P4", "medium": "P3", "high": "P2", "critical": "P1"},
        "high": {"low": "P3", "medium": "P2", "high": "P1", "critical": "P1"},
    }
)
"""Where desk.yaml has none of its own."""


def raise_impact(impact: Impact, *, steps: int) -> Impact:
    """The impact so many steps higher, as far as there are any."""
    return IMPACTS[min(IMPACTS.index(impact) + steps, len(IMPACTS) - 1)]


def find_worst(severities: Iterable[str]) -> Severity:
    """The worst of some severities."""
    return SEVERITIES[max(map(SEVERITIES.index, severities))]

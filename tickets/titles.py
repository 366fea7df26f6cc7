"""Titles: what an alert says, put into the words of its rule, for people."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from math import floor, log10
from typing import Literal, TypeAlias

from devices.places import Places
from devices.reading import Value
from devices.register import Text
from rules.alerts import Evidence, Subject, Transition
from rules.site import Site, area_of

Language: TypeAlias = Literal["en", "zh"]

PLACEHOLDERS = ("rule.name", "device.name", "device.id", "subject", "place", "point", "value", "limit", "since")
"""What a title may have in braces. `subject` is the device's or the place's name."""

_BRACES = re.compile(r"\{([a-z_.]+)\}")
_DIGITS = 4
_YES_NO: Mapping[Language, tuple[str, str]] = {"en": ("no", "yes"), "zh": ("否", "是")}
_SMALL: Mapping[str, tuple[str, float]] = {
    "m³/h": ("L/h", 1000.0),
    "m³": ("L", 1000.0),
    "kW": ("W", 1000.0),
    "kWh": ("Wh", 1000.0),
}
"""The unit in which people read what is less than one."""


def write_title(title: Text, rule: str, transition: Transition, site: Site, language: Language) -> str:
    """A ticket's title, in one line.

    Args:
        title: template of the rule; where it has none, the title is the rule's name and the subject.
        rule: its name.
        transition: what was told.
        site: knows names.
        language: of the site.
    """
    template = title.pick(language)
    if not template:
        template = "{rule.name}：{subject}" if language == "zh" else "{rule.name}: {subject}"
    evidence = transition.evidence
    device = site.devices.get(evidence.device) or site.devices.get(transition.subject.id)
    texts = {
        "rule.name": rule,
        "device.id": device.id if device else evidence.device,
        "device.name": device.name.pick(language, device.id) if device else evidence.device,
        "subject": name_subject(transition.subject, site, language),
        "place": name_place(find_place(transition, site), site.places, language),
        "point": evidence.point,
        "value": write_value(evidence.value, evidence.unit, language),
        "limit": write_value(evidence.limit, evidence.unit, language),
        "since": _write_moment(transition.since, transition.at, site),
    }
    return " ".join(_BRACES.sub(lambda match: texts.get(match[1], match[0]), template).split())


def find_place(transition: Transition, site: Site) -> str:
    """Where it is: ids from the building down, joined with `/`; "" where nobody knows, and for the whole site."""
    subject, evidence = transition.subject, transition.evidence
    if subject.kind == "site":
        return ""
    if subject.kind != "device":
        return subject.id
    device = site.devices.get(subject.id) or site.devices.get(evidence.device)
    return area_of(device) if device else ""


def name_subject(subject: Subject, site: Site, language: Language) -> str:
    """What people call the subject of an alert."""
    if subject.kind == "device":
        device = site.devices.get(subject.id)
        return device.name.pick(language, device.id) if device else subject.id
    return subject.id if subject.kind == "site" else name_place(subject.id, site.places, language)


def name_place(place: str, places: Places, language: Language) -> str:
    """The names of a place from the building down; ids where it has none."""
    names: list[str] = []
    level: Mapping[str, object] = {building.id: building for building in places.buildings}
    for id_ in filter(None, place.split("/")):
        found = level.get(id_)
        names.append(getattr(found, "name", None).pick(language, id_) if found else id_)  # type: ignore[union-attr] # every place has a name
        below = getattr(found, "floors", None) or getattr(found, "areas", None) or ()
        level = {each.id: each for each in below}
    return ("" if language == "zh" else ", ").join(names)


def write_value(value: Value | None, unit: str, language: Language) -> str:
    """A value for people, with four digits: `30 L/h`, `253.4 V`, `yes`; "" for None."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return _YES_NO[language][value]
    if isinstance(value, str):
        return value
    if unit in _SMALL and 0 < abs(value) < 1:
        unit, factor = _SMALL[unit]
        value *= factor
    return f"{_round(value)} {unit}".rstrip()


def _round(value: float) -> str:
    if not value or value != value or abs(value) == float("inf"):  # noqa: PLR0124 - NaN
        return f"{value:g}"
    decimals = max(0, _DIGITS - 1 - floor(log10(abs(value))))
    text = f"{value:.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _write_moment(time: int, now: int, site: Site) -> str:
    """Local time; with the date where it is another day than now."""
    local, today = (datetime.fromtimestamp(t // 1_000_000_000, UTC).astimezone(site.zone) for t in (time, now))
    return f"{local:%H:%M}" if local.date() == today.date() else f"{local:%Y-%m-%d %H:%M}"


def plain_evidence(evidence: Evidence) -> dict[str, object]:
    """Evidence as JSON can hold it; what was not given is left out."""
    names = ("device", "point", "value", "limit", "unit", "details")
    return {name: value for name in names if (value := getattr(evidence, name)) not in (None, "", {})}

"""An engine for tests: rules as YAML text, devices as mappings, times as text in UTC."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import yaml

from devices.durations import parse_duration
from devices.places import Places
from devices.reading import Reading, Value
from devices.register import Register
from rules.calendars import Calendars
from rules.engine import Engine
from rules.rule import Rule, RuleFile
from rules.site import Site

START = "2026-03-01 00:00"
"""Where the clock of an engine begins: a Sunday."""


def at(text: str) -> int:
    """UTC ns of `2026-03-01 08:00`, with seconds and fractions where they are given."""
    moment = datetime.fromisoformat(text).replace(tzinfo=UTC)
    return int(moment.replace(microsecond=0).timestamp()) * 10**9 + moment.microsecond * 1000


def after(text: str, start: str = START) -> int:
    """UTC ns of a moment so long after the start: `1h30m`."""
    return at(start) + parse_duration(text)


def read_rules(text: str) -> list[Rule]:
    """The rules of a YAML text: a list of rules, with or without `rules:` above it."""
    content = yaml.safe_load(text)
    return RuleFile.model_validate(content if isinstance(content, dict) else {"rules": content or []}).rules


def make_site(
    devices: Sequence[Mapping[str, object]],
    *,
    zone: str = "UTC",
    places: Mapping[str, object] | None = None,
    calendars: Calendars | Mapping[str, object] | None = None,
    tags: Sequence[str] = (),
) -> Site:
    """The site `site`.

    Args:
        devices: as devices.yaml has them.
        zone: its time zone.
        places: as places.yaml has them.
        calendars: as calendars.yaml has them, or ready-made ones.
        tags: names that devices may use.
    """
    if not isinstance(calendars, Calendars):
        calendars = Calendars.model_validate(calendars or {})
    register = Register.model_validate({"tags": list(tags), "devices": list(devices)})
    return Site("site", ZoneInfo(zone), register, Places.model_validate(places or {}), calendars)


def make_engine(
    rules: str,
    devices: Sequence[Mapping[str, object]],
    *,
    now: str = START,
    zone: str = "UTC",
    places: Mapping[str, object] | None = None,
    calendars: Calendars | Mapping[str, object] | None = None,
    tags: Sequence[str] = (),
) -> Engine:
    """An engine of these rules for a site of these devices; see `read_rules` and `make_site`.

    Args:
        rules: YAML text.
        devices: as devices.yaml has them.
        now: where its clock begins, UTC.
        zone: of the site.
        places: as places.yaml has them.
        calendars: as calendars.yaml has them, or ready-made ones.
        tags: names that devices may use.
    """
    site = make_site(devices, zone=zone, places=places, calendars=calendars, tags=tags)
    return Engine(read_rules(rules), site, at(now))


def reading(
    device: str, time: str | int, *, received: str | int | None = None, late: bool = False, **points: Value
) -> Reading:
    """A reading of a device.

    Args:
        device: id.
        time: when it was measured, as `at` reads it or in ns.
        received: when it arrived; left out: at once.
        late: older than the newest of its device.
        **points: their values; whole numbers become floats.
    """
    measured = at(time) if isinstance(time, str) else time
    arrived = measured if received is None else at(received) if isinstance(received, str) else received
    values = {name: value if isinstance(value, bool | str) else float(value) for name, value in points.items()}
    return Reading(device, measured, arrived, values, late)

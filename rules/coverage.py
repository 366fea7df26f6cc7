"""Coverage: whom a rule watches, and which of the devices that it selects it cannot judge, and why."""

from collections.abc import Mapping
from typing import NamedTuple

from devices.register import Device
from rules.alerts import Subject
from rules.rule import Rule
from rules.site import Site


class Coverage(NamedTuple):
    """What a rule's selection comes to on a site.

    Attributes:
        subjects: whom it watches, each with its devices.
        unfit: devices that are selected and left out, by id, and why.
    """

    subjects: Mapping[Subject, tuple[Device, ...]]
    unfit: Mapping[str, str]


def find_coverage(rule: Rule, site: Site) -> Coverage:
    """Whom a rule watches on a site, whether it is enabled or not."""
    unfit: dict[str, str] = {}
    fit: list[Device] = []
    for device in rule.select.pick(site.register):
        reason = rule.when.fits(device) or rule.when.misses(device, site)
        if not reason and site.subject_of(device, rule.per) is None:
            reason = f"no {rule.per}"
        if reason:
            unfit[device.id] = reason
        else:
            fit.append(device)
    return Coverage(site.group(fit, rule.per), unfit)

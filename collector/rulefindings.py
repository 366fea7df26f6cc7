"""What may be wrong with rules that can be used: they watch nothing, say a thing twice, or leave people helpless."""

from collections.abc import Iterator

from collector.configuration import Configuration
from collector.crosscheck import miss
from collector.folder import Problem
from collector.rulecheck import walk
from collector.runbooks import find_runbook, list_beside
from devices.points import POINTS, Domain
from devices.register import Kind
from devices.values import suggest
from rules.coverage import find_coverage
from rules.rule import Rule

_SYSTEMS: dict[Kind, frozenset[Domain]] = {
    "electricity_meter": frozenset({"electricity", "any"}),
    "water_meter": frozenset({"water", "any"}),
    "door": frozenset({"access", "any"}),
    "gateway": frozenset({"any"}),
}
"""Of which systems a kind of device has points; sensors may have any."""

_LISTED = 5


def find_all(configuration: Configuration) -> Iterator[Problem]:
    """Everything that `siteward rules check` says of rules that can be used."""
    yield from _find_twins(configuration)
    for rule in configuration.rules:
        yield from _judge_coverage(configuration, rule)
        yield from _judge_points(configuration, rule)
        yield from _judge_words(configuration, rule)
    yield from find_missing_runbooks(configuration)


def find_missing_runbooks(configuration: Configuration) -> Iterator[Problem]:
    """Runbooks that are neither addresses nor files."""
    folder = configuration.folder
    for rule in configuration.rules:
        name = rule.ticket.runbook if rule.ticket else ""
        if name and "://" not in name and find_runbook(name, folder) is None:
            hint = suggest(name, set(list_beside(name, folder))) or f"put it into {folder} or beside it"
            message = f"runbook: there is no file {name!r}"
            yield configuration.origins[rule.id].complain(("ticket", "runbook"), message, hint)


def _find_twins(configuration: Configuration) -> Iterator[Problem]:
    """Rules that say the same of the same devices: every alert comes twice."""
    first: dict[tuple[str, ...], Rule] = {}
    for rule in configuration.rules:
        key = (rule.condition_text, rule.select.model_dump_json(), rule.per, *(rule.active or ()), *(rule.mute or ()))
        other = first.setdefault(key, rule)
        if other is not rule:
            message = f"{rule.id!r} watches for the same on the same devices as {other.id!r}"
            hint = f"keep one; the first one: {configuration.origins[other.id]}"
            yield configuration.origins[rule.id].complain(("when",), message, hint)


def _judge_coverage(configuration: Configuration, rule: Rule) -> Iterator[Problem]:
    origin = configuration.origins[rule.id]
    coverage = find_coverage(rule, configuration.rule_site())
    if coverage.subjects:
        return
    if not coverage.unfit:
        if rule.select.kind is None or {device.kind for device in configuration.register}.intersection(
            rule.select.kind
        ):
            hint = _find_idle_tag(configuration, rule) or "see: siteward devices list"
            yield origin.complain(("select",), f"{rule.id!r} selects no device", hint)
        return  # a site without such devices at all needs no such rule, and it harms nobody
    reasons = "; ".join(f"{device}: {reason}" for device, reason in list(coverage.unfit.items())[:_LISTED])
    message = f"{rule.id!r} can judge none of the devices that it selects"
    yield origin.complain(("select",), message, reasons)


def _find_idle_tag(configuration: Configuration, rule: Rule) -> str:
    """Which tag has a value that no device carries; "" where that is not the reason."""
    for tag, wanted in rule.select.tags.items():
        carried = {device.tags[tag] for device in configuration.register if tag in device.tags}
        if not carried.intersection(wanted):
            return miss(f"device with {tag}", wanted[0], carried)
    return ""


def _judge_points(configuration: Configuration, rule: Rule) -> Iterator[Problem]:
    """Points that no selected kind of device has."""
    kinds = rule.select.kind
    if kinds is None or "sensor" in kinds:
        return
    systems = frozenset().union(*(_SYSTEMS[kind] for kind in kinds))
    for path, condition in walk(rule.when, ("when",)):
        for name in ("point", "points"):
            points = getattr(condition, name, None) or ()
            for point in [points] if isinstance(points, str) else points:
                if point in POINTS and POINTS[point].domain not in systems:
                    message = f"{name}: {' or '.join(kinds)} has no {point}, which belongs to {POINTS[point].domain}"
                    yield configuration.origins[rule.id].complain((*path, name), message, "select another kind")


def _judge_words(configuration: Configuration, rule: Rule) -> Iterator[Problem]:
    """What people need once the rule fires."""
    origin = configuration.origins[rule.id]
    missing = [language for language in ("en", "zh") if not getattr(rule.name, language)]
    if missing:
        yield origin.complain(("id",), f"{rule.id!r} has no name in {' and '.join(missing)}", "name: {en: …, zh: …}")
    if rule.ticket is not None and not rule.ticket.runbook:
        yield origin.complain(("id",), f"{rule.id!r} has no runbook", "say below ticket what is to be done")

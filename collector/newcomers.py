"""Newcomers: devices that are not in the register, known from what they sent and from what they announce."""

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from collector import quarantine
from collector.configuration import Configuration
from collector.journal import Journal
from collector.quarantine import Group
from devices.discovery.identification import Place, Surroundings, read_values
from devices.discovery.proposals import Proposal, propose
from devices.discovery.sketch import Sketch
from devices.discovery.suggestions import suggest_id, suggest_kind
from devices.reading import Value
from devices.register import Kind

_SAMPLES = 5
"""Messages of a group that are looked at: some devices say one thing at a time."""


class Newcomer(NamedTuple):
    """A device that could be listed.

    Attributes:
        place: how it is heard; its profile is "" where none reads it.
        source: who told of it: "" for itself, by what it sent; else an ecosystem.
        messages: how many of its messages went to quarantine.
        first: when the first of them came, ns; None where there are none.
        last: the last of them.
        says: points and the values that were read of them last; None where they are only announced.
        id: a suggestion.
        kind: likewise.
        name: what people call it, or "".
        sketch: a profile that would read it, where there is none.
    """

    place: Place
    source: str
    messages: int
    first: int | None
    last: int | None
    says: dict[str, Value | None]
    id: str
    kind: Kind
    name: str
    sketch: Sketch | None = None


def gather(
    configuration: Configuration, journal: Journal | None, announcements: Iterable[tuple[str, bytes]]
) -> list[Newcomer]:
    """Every newcomer, those that are heard before those that are only announced.

    Args:
        configuration: its register tells who is none.
        journal: its quarantine holds what they sent; None where there is none yet.
        announcements: messages from topics of announcements.
    """
    settings = configuration.settings
    around = Surroundings(configuration.profiles, settings.site.id, settings.site.timezone, time.time_ns())
    listed = {Place(device.profile, device.address or device.id) for device in configuration.register}
    topics = {device.topic for device in configuration.register if device.topic}
    heard = _find_heard(journal, listed) if journal else {}
    values = _read_heard(journal, heard, around) if journal else {}
    proposals = {
        proposal.place: proposal
        for proposal in propose(announcements, around)
        if proposal.place not in listed and topics.isdisjoint(proposal.topics)
    }
    taken = {device.id for device in configuration.register}
    newcomers = []
    for place in [*heard, *(place for place in proposals if place not in heard)]:
        newcomer = _describe(place, heard.get(place, []), values.get(place, {}), proposals.get(place), taken)
        taken.add(newcomer.id)
        newcomers.append(newcomer)
    return newcomers


def _find_heard(journal: Journal, listed: set[Place]) -> dict[Place, list[Group]]:
    """The groups of each stranger, the loudest first."""
    heard: dict[Place, list[Group]] = defaultdict(list)
    for group in quarantine.list_groups(journal.connection()):
        if group.stranger is not None and (place := Place(*group.stranger)) not in listed:
            heard[place].append(group)
    return heard


def _read_heard(
    journal: Journal, heard: dict[Place, list[Group]], around: Surroundings
) -> dict[Place, dict[str, Value]]:
    samples = [
        (item.topic, item.payload)
        for groups in heard.values()
        for group in groups
        for _, item in quarantine.messages(journal.connection(), group, _SAMPLES)
    ]
    return read_values(samples, heard, around)


def _describe(
    place: Place, groups: list[Group], values: dict[str, Value], proposal: Proposal | None, taken: set[str]
) -> Newcomer:
    says = dict(_list_points(values, proposal))
    kind = suggest_kind(says)
    name = proposal.name if proposal else ""
    return Newcomer(
        place=place,
        source=proposal.source if proposal else "",
        messages=sum(group.times for group in groups),
        first=min((group.first for group in groups), default=None),
        last=max((group.last for group in groups), default=None),
        says=says,
        id=suggest_id(place.address or name or place.topic, kind, taken),
        kind=kind,
        name=name,
        sketch=proposal.sketch if proposal else None,
    )


def _list_points(values: dict[str, Value], proposal: Proposal | None) -> Iterator[tuple[str, Value | None]]:
    """What it says; a card's number is not for everybody who lists devices."""
    if proposal is not None:
        yield from dict.fromkeys(proposal.points).items()
    for name, value in values.items():
        yield name, None if name == "credential" else value

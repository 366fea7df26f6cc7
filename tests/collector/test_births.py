"""Births of Sparkplug nodes in the journal."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from collector import births
from collector.journal import Journal
from devices.decoder import Decoder
from devices.language.catalog import Catalog
from devices.register import Device, Register
from devices.timestamps import TimeLimits
from tests.edgenode import TIME, EdgeNode, Spoken, metric

HOUR = 3600 * 10**9
POWER = metric("Meter/power_kw", 1.0, alias=1)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal(tmp_path / "journal.db", 10**9, ())
    yield journal
    journal.close()


def make_decoder(profile: str = "sparkplug_b", address: str = "Plant/Gateway") -> Decoder:
    device = Device(id="em-1", kind="electricity_meter", profile=profile, address=address)
    return Decoder(Register(devices=[device]), Catalog(), "site", TimeLimits(HOUR, HOUR))


def power(decoder: Decoder, spoken: Spoken) -> list[float | bool | str]:
    readings = decoder.decode(spoken.topic, spoken.payload, TIME * 10**6)
    return [reading.values["power_kw"] for reading in readings]


def test_a_later_decoder_understands_what_an_earlier_one_was_told(journal: Journal) -> None:
    node = EdgeNode("Plant/Gateway")
    first, later = make_decoder(), make_decoder()
    assert power(first, node.birth(POWER)) == [1]
    births.keep(first, journal)
    births.recall(later, journal)
    assert power(later, node.data(metric(value=2.0, alias=1))) == [2]


def test_they_are_written_only_where_they_changed(journal: Journal) -> None:
    node, decoder = EdgeNode("Plant/Gateway"), make_decoder()
    births.keep(decoder, journal)
    assert births.FACT not in journal.facts()
    power(decoder, node.birth(POWER))
    births.keep(decoder, journal)
    journal.remember(births.FACT, "as it was")
    power(decoder, node.data(metric(value=2.0, alias=1)))
    births.keep(decoder, journal)
    assert journal.facts()[births.FACT] == "as it was"


def test_a_site_without_sparkplug_has_none(journal: Journal) -> None:
    decoder = make_decoder("canonical", "em-1")
    births.recall(decoder, journal)
    births.keep(decoder, journal)
    assert births.FACT not in journal.facts()


def test_a_disk_that_takes_nothing_is_said_and_no_reason_to_stop(journal: Journal) -> None:
    decoder = make_decoder()
    power(decoder, EdgeNode("Plant/Gateway").birth(POWER))
    journal._writer.execute("PRAGMA query_only = ON")
    with capture_logs() as logs:
        births.keep(decoder, journal)
    journal._writer.execute("PRAGMA query_only = OFF")
    assert [entry["event"] for entry in logs] == ["births of Sparkplug nodes could not be noted"]

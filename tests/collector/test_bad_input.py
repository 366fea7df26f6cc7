"""10,000 mutated payloads and topics never stop the pipeline; each is stored or in quarantine with a reason."""

import json
import threading
import zlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collector import quarantine
from collector.journal import Journal
from collector.mqtt import Message
from collector.pipeline import Pipeline
from collector.settings import Quarantine
from devices.decoder import Decoder
from devices.language.catalog import Catalog
from devices.points import POINTS
from devices.register import Device, Register
from devices.timestamps import TimeLimits

DAY = 86_400_000_000_000
EXAMPLES = 500
MESSAGES = 20  # in each: 10,000 in all

DEVICES = [
    Device(id="em-1", kind="electricity_meter"),
    Device(id="plug", kind="electricity_meter", profile="zigbee2mqtt"),
    Device(id="wm", kind="water_meter", profile="tasmota"),
    Device(id="pro", kind="electricity_meter", profile="shelly_gen2"),
]
TOPICS = [
    "siteward/campus/em-1/readings",
    "zigbee2mqtt/plug",
    "tele/wm/SENSOR",
    "pro/status/em:0",
    "pro/status/switch:0",
]
PAYLOADS = [
    b'{"time":"2026-11-22T08:00:00Z","energy_import_kwh":1234.5,"voltage_l1_v":230.1}',
    b'[{"power_kw":1},{"time":1795334400000,"power_kw":2.5,"event":"opened","direction":"in"}]',
    b'{"energy":0.66,"power":49.6,"contact":true,"battery":93,"voltage":231}',
    b'{"Time":"2026-11-22T08:00:00","ENERGY":{"Total":1.25,"Power":12,"Voltage":229,"Current":0.05}}',
    b'{"id":0,"a_voltage":230.2,"total_act_power":110.5,"aenergy":{"total":1234.5},"apower":5.1,"voltage":230}',
]
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*POINTS, "time"]), inner, max_size=4),
    max_leaves=6,
)
names = st.sampled_from([*POINTS, "time", "Time", "ENERGY", "aenergy", "contact"]) | st.text(max_size=10)


@st.composite
def mutated(draw: st.DrawFn, source: bytes) -> bytes:
    """Bytes taken out, put in or changed."""
    data = bytearray(source)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data)))
        data[at : at + draw(st.integers(0, 5))] = draw(
            st.binary(max_size=5) | st.sampled_from([b"e999", b"[", b"-", b'"'])
        )
    return bytes(data)


payloads = st.one_of(
    st.sampled_from(PAYLOADS).flatmap(mutated),
    st.sampled_from(PAYLOADS),
    st.dictionaries(names, values, max_size=5).map(lambda value: json.dumps(value).encode()),
    st.binary(max_size=60),
    st.sampled_from([b"", b"[" * 1200, b'{"a":' * 300, b"\xff\xfe", b"9" * 400, b'{"power_kw":1e999}']),
)
topics = st.sampled_from(TOPICS) | st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> tuple[Journal, Pipeline]:
    journal = Journal(tmp_path_factory.mktemp("bad") / "journal.db", 10**9, ("store", "ledger"))
    journal._writer.execute("PRAGMA synchronous = OFF")  # durability is shown elsewhere
    decoder = Decoder(Register(devices=DEVICES), Catalog(), "campus", TimeLimits(35 * DAY, DAY))
    return journal, Pipeline(decoder, journal, Quarantine(), threading.Event())


@settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(st.tuples(topics, payloads), min_size=MESSAGES, max_size=MESSAGES))
def test_each_is_stored_or_in_quarantine_with_a_reason(
    site: tuple[Journal, Pipeline],
    batch: list[tuple[str, bytes]],
) -> None:
    journal, pipeline = site
    connection = journal.connection()
    for topic, payload in batch:  # one at a time, so that each is accounted for on its own
        readings, repeats = pipeline.readings, pipeline.duplicates
        rejected, ignored = pipeline.quarantined, pipeline.ignored
        message = Message(topic, payload, 0, dup=False, retain=False, key=zlib.crc32(payload))
        assert pipeline.ingest([message])
        arrived = pipeline.readings + pipeline.duplicates > readings + repeats
        outcomes = (arrived, pipeline.quarantined > rejected, pipeline.ignored > ignored)
        assert sum(outcomes) == 1, (topic, payload)
        if pipeline.quarantined > rejected:
            (reason,) = connection.execute(
                "SELECT reason FROM quarantine_group JOIN quarantine_entry ON group_id = id"
                " ORDER BY message_id DESC LIMIT 1",
            ).fetchone()
            assert reason


def test_the_reasons_are_few_however_many_messages_are_bad(site: tuple[Journal, Pipeline]) -> None:
    journal, pipeline = site
    connection = journal.connection()
    groups = [group for group in quarantine.list_groups(connection) if group.device]
    assert sum(group.times for group in quarantine.list_groups(connection)) == pipeline.quarantined
    assert len(groups) < 2000

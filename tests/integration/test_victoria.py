"""The store in a real VictoriaMetrics, through `api: v2`."""

import pytest

from collector.errors import StoreError
from collector.influx import InfluxDatabase
from collector.settings import InfluxStore, Site
from collector.store import Finding
from devices.reading import Reading
from devices.register import Device, Register
from tests.integration.servers import VictoriaMetrics

TIME = 1_790_000_000_123_000_000
METER = Device(id="em-1", kind="electricity_meter", building="A")
DOOR = Device(id="door-1", kind="door")


@pytest.fixture
def store(victoria: VictoriaMetrics, fresh_name: str) -> InfluxDatabase:
    parts = InfluxStore(kind="influxdb", api="v2", url=victoria.url, bucket="siteward")
    store = InfluxDatabase(parts, Site(id=fresh_name), Register(devices=[METER]))
    store.prepare()
    return store


def test_points_become_metrics_and_what_is_sent_again_is_kept_once(
    store: InfluxDatabase, victoria: VictoriaMetrics, fresh_name: str
) -> None:
    readings = [
        Reading("em-1", TIME, TIME, {"power_kw": 1.5, "voltage_l1_v": 230.0}),
        Reading("em-1", TIME + 1_000_000, TIME, {"power_kw": 2.5}),
    ]
    for _ in range(3):
        store.write(readings)
    milliseconds = TIME // 1_000_000
    assert victoria.export(site=fresh_name, building="A") == {
        ("electricity_meter_power_kw", "em-1"): [(milliseconds, 1.5), (milliseconds + 1, 2.5)],
        ("electricity_meter_voltage_l1_v", "em-1"): [(milliseconds, 230.0)],
    }


def test_it_has_no_influxql(store: InfluxDatabase) -> None:
    with pytest.raises(StoreError, match="the database does not answer InfluxQL"):
        store.series(["em-1"], "power_kw", 0, TIME + 1)


def test_doctor_knows_it(store: InfluxDatabase, victoria: VictoriaMetrics) -> None:
    assert store.inspect() == [
        Finding("database server", good=True, message=f"VictoriaMetrics answers at {victoria.url}"),
        Finding("database clock", good=True, message="agrees with ours"),
        Finding("bucket siteward", good=True, message="may be written to"),
        Finding("duplicates", good=True, message="a reading that is sent again is kept once"),
        Finding("retention", good=True, message="readings are kept for 36500d"),
        Finding("events", good=True, message="VictoriaMetrics keeps numbers to the millisecond, and of texts nothing"),
    ]


def test_doctor_warns_of_events_that_it_cannot_keep(store: InfluxDatabase) -> None:
    store.use(Register(devices=[METER, DOOR]))
    events = store.inspect()[-1]
    assert not events.good
    assert events.message.endswith("the register has doors: store their events in InfluxDB")

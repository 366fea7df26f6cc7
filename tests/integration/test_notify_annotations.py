"""Alerts and tickets as annotations in a real InfluxDB."""

from pathlib import Path

from collector.annotations import Annotator
from collector.configuration import load
from collector.stores import open_store
from tests.deskbench import START, Bench, open_file
from tests.integration.servers import InfluxDB
from tests.sites import write_site

SETTINGS = {"kind": "influxdb", "api": "v1", "database": "annotations"}


def test_alerts_and_tickets_stand_beside_the_readings(influxdb: InfluxDB, tmp_path: Path) -> None:
    devices = "id,kind,building,floor\nem-1,electricity_meter,A,1F\n"
    configuration = load(write_site(tmp_path, devices, store=SETTINGS | {"url": influxdb.url}))
    bench = Bench(open_file(tmp_path))
    store = open_store(configuration)
    store.prepare()
    annotator = Annotator(configuration, store, lambda _: bench.database)
    bench.do("open", "silent")
    annotator.step()
    bench.clock.pass_("10m")
    bench.do("clear", "silent")
    annotator.step()
    annotator.close()
    store.close()
    alerts, tickets = (influxdb.rows("annotations", name) for name in ("alert", "ticket"))
    assert [(row["time"] - START, row["state"], row["value"], row["duration_s"]) for row in alerts] == [
        (0, "firing", 260.0, 600.0),
        (600 * 10**9, "resolved", 260.0, 600.0),
    ]
    assert [(row["state"], row["number"], row["priority"]) for row in tickets] == [
        ("new", "W-2026-00001", "P3"),
        ("resolved", "W-2026-00001", "P3"),
    ]
    place = {"site": "site", "building": "A", "floor": "1F", "device": "em-1", "rule": "silent"}
    assert all(place.items() <= row.items() for row in alerts + tickets)
    keys = influxdb.ask("annotations", "SHOW TAG KEYS")
    fields = influxdb.ask("annotations", "SHOW FIELD KEYS")
    for tags, values in zip(keys, fields, strict=True):
        assert not {row[0] for row in tags["values"]} & {row[0] for row in values["values"]}

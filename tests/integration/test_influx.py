"""The store in a real InfluxDB 1.x: what is written can be read, and every refusal is said in plain words."""

from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import count
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector import influxhttp
from collector.errors import BatchRejected, BatchTooLarge, StoreError, StoreRefused, StoreUnavailable
from collector.influx import InfluxDatabase
from collector.settings import InfluxStore, Site
from collector.store import Aggregate, Finding, Sample
from devices.reading import Reading
from devices.register import PLACE, TAG_VALUE, Device, Register
from tests.integration.servers import InfluxDB, find_free_port

TIME = 1_790_000_000_123_456_789
HOUR = 3_600_000_000_000

REGISTER = Register(
    devices=[
        Device(id="em-1", kind="electricity_meter", building="A", area="Labor süd"),
        Device(id="em-2", kind="electricity_meter", building="B"),
        Device(id="wm-1", kind="water_meter"),
        Device(id="door-1", kind="door"),
    ],
)

Open = Callable[..., InfluxDatabase]


@pytest.fixture
def connect() -> Iterator[Open]:
    """Opens stores and closes them with the test."""
    stores = []

    def connect(
        url: str, database: str, *, register: Register = REGISTER, timezone: str = "UTC", **store: object
    ) -> InfluxDatabase:
        site = Site(id="campus", timezone=timezone)
        parts = InfluxStore.model_validate({"kind": "influxdb", "api": "v1", "url": url, "database": database, **store})
        stores.append(InfluxDatabase(parts, site, register))
        return stores[-1]

    yield connect
    for store in stores:
        store.close()


def nanoseconds(text: str, zone: str = "UTC") -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()) * 1_000_000_000


# ── writing ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_is_written_stands_in_the_database(influxdb: InfluxDB, fresh_name: str, connect: Open) -> None:
    store = connect(influxdb.url, fresh_name)
    store.prepare()
    store.write(
        [
            Reading("em-1", TIME, TIME, {"power_kw": 1.5, "tariff": "night"}),
            Reading("em-1", TIME + 1, TIME + 2_500_000_000, {"power_kw": 2.5}, late=True),
        ],
    )
    assert influxdb.rows(fresh_name, "electricity_meter") == [
        {
            "time": TIME,
            "site": "campus",
            "building": "A",
            "area": "Labor süd",
            "device": "em-1",
            "power_kw": 1.5,
            "tariff": "night",
        },
        {
            "time": TIME + 1,
            "site": "campus",
            "building": "A",
            "area": "Labor süd",
            "device": "em-1",
            "power_kw": 2.5,
            "received_time_s": 1790000002.6234567,
        },
    ]


@pytest.mark.parametrize("compressed", [False, True])
def test_a_reading_that_is_sent_again_is_stored_once(
    influxdb: InfluxDB, fresh_name: str, connect: Open, *, compressed: bool
) -> None:
    store = connect(influxdb.url, fresh_name, gzip=compressed)
    store.prepare()
    for _ in range(2):
        store.write([Reading("wm-1", TIME, TIME, {"volume_m3": 17.25})])
    assert influxdb.rows(fresh_name, "water_meter") == [
        {"time": TIME, "site": "campus", "device": "wm-1", "volume_m3": 17.25},
    ]


def test_a_changed_register_changes_the_place_of_what_follows(
    influxdb: InfluxDB, fresh_name: str, connect: Open
) -> None:
    store = connect(influxdb.url, fresh_name)
    store.prepare()
    store.write([Reading("wm-1", TIME, TIME, {"volume_m3": 1.0})])
    store.use(Register(devices=[Device(id="wm-1", kind="water_meter", building="C")]))
    store.write([Reading("wm-1", TIME + 1, TIME, {"volume_m3": 2.0})])
    assert [row.get("building") for row in influxdb.rows(fresh_name, "water_meter")] == [None, "C"]
    assert store.series(["wm-1"], "volume_m3", TIME, TIME + 2) == {"wm-1": [Sample(TIME, 1.0), Sample(TIME + 1, 2.0)]}


TIMES = count(TIME)


@settings(max_examples=50, deadline=None)
@given(
    area=st.from_regex(PLACE, fullmatch=True).filter(lambda place: len(place) <= 64),
    tag=st.from_regex(TAG_VALUE, fullmatch=True).filter(lambda text: len(text) <= 64),
    power=st.floats(allow_nan=False, allow_infinity=False),
    leak=st.booleans(),
    alarm=st.text(max_size=30),
)
def test_any_text_and_any_number_survive(
    influxdb: InfluxDB, *, area: str, tag: str, power: float, leak: bool, alarm: str
) -> None:
    register = Register(tags=["note"], devices=[Device(id="s-1", kind="sensor", area=area, tags={"note": tag})])
    parts = InfluxStore(kind="influxdb", api="v1", url=influxdb.url, database="any_text")
    store = InfluxDatabase(parts, Site(id="campus"), register)
    store.prepare()
    time = next(TIMES)
    store.write([Reading("s-1", time, time, {"power_kw": power, "leak": leak, "alarm": alarm})])
    statement = f"SELECT area, note, alarm, leak FROM sensor WHERE time = {time}"  # noqa: S608 - a number
    (table,) = influxdb.ask("any_text", statement)
    assert table["values"] == [[time, area, tag, alarm.replace("\n", " "), leak]]
    assert store.series(["s-1"], "power_kw", time, time + 1) == {"s-1": [Sample(time, power)]}
    store.close()


# ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def berlin(influxdb: InfluxDB, fresh_name: str, connect: Open) -> InfluxDatabase:
    """Two meters, a reading an hour from 24 October to 2 November 2026; the clocks are set back on the 25th."""
    store = connect(influxdb.url, fresh_name, timezone="Europe/Berlin")
    store.prepare()
    first = nanoseconds("2026-10-24", "Europe/Berlin")
    store.write(
        [
            Reading(device, first + hour * HOUR, 0, {"power_kw": float(hour), "tariff": f"t{hour}", "leak": hour > 1})
            for hour in range(24 + 25 + 7 * 24)
            for device in ("em-1", "em-2")
        ],
    )
    return store


START, END = nanoseconds("2026-10-24", "Europe/Berlin"), nanoseconds("2026-11-02", "Europe/Berlin")


def test_raw_values_have_their_own_types(berlin: InfluxDatabase) -> None:
    span = (START + HOUR, START + 3 * HOUR)
    assert berlin.series(["em-1"], "power_kw", *span) == {
        "em-1": [Sample(START + HOUR, 1.0), Sample(START + 2 * HOUR, 2.0)],
    }
    assert berlin.series(["em-1"], "tariff", *span) == {
        "em-1": [Sample(START + HOUR, "t1"), Sample(START + 2 * HOUR, "t2")],
    }
    assert berlin.series(["em-1"], "leak", *span) == {
        "em-1": [Sample(START + HOUR, False), Sample(START + 2 * HOUR, True)],
    }


def test_devices_without_values_are_absent(berlin: InfluxDatabase) -> None:
    assert set(berlin.series(["em-2", "wm-1", "door-1", "nobody"], "power_kw", START, END)) == {"em-2"}
    assert berlin.series([], "power_kw", START, END) == {}


def test_a_long_answer_is_complete(berlin: InfluxDatabase) -> None:
    berlin.write([Reading("em-1", START + second * 10**9, 0, {"current_a": float(second)}) for second in range(25_000)])
    (samples,) = berlin.series(["em-1"], "current_a", START, END).values()
    assert [sample.value for sample in samples] == [float(second) for second in range(25_000)]


@pytest.mark.parametrize(
    ("aggregate", "value"),
    [("mean", 2.5), ("min", 1.0), ("max", 4.0), ("sum", 10.0), ("count", 4.0), ("first", 1.0), ("last", 4.0)],
)
def test_aggregates(berlin: InfluxDatabase, aggregate: Aggregate, value: float) -> None:
    answer = berlin.series(["em-1"], "power_kw", START + HOUR, START + 5 * HOUR, interval="1d", aggregate=aggregate)
    assert answer == {"em-1": [Sample(START, value)]}


def test_days_follow_the_local_clock(berlin: InfluxDatabase) -> None:
    answer = berlin.series(["em-1", "em-2"], "power_kw", START, END, interval="1d", aggregate="count")
    assert set(answer) == {"em-1", "em-2"}
    assert answer["em-2"][:3] == [
        Sample(START, 24.0),
        Sample(START + 24 * HOUR, 25.0),
        Sample(START + 49 * HOUR, 24.0),
    ]


def test_weeks_begin_on_monday_of_the_local_clock(berlin: InfluxDatabase) -> None:
    answer = berlin.series(["em-1"], "power_kw", START, END, interval="1w", aggregate="count")
    assert answer == {
        "em-1": [
            Sample(nanoseconds("2026-10-19", "Europe/Berlin"), 49.0),
            Sample(nanoseconds("2026-10-26", "Europe/Berlin"), 168.0),
        ],
    }


def test_quarters_of_an_hour_without_values_are_absent(berlin: InfluxDatabase) -> None:
    answer = berlin.series(["em-1"], "power_kw", START, START + 2 * HOUR, interval="15m")
    assert answer == {"em-1": [Sample(START, 0.0), Sample(START + HOUR, 1.0)]}


def test_more_devices_than_one_question_takes(influxdb: InfluxDB, fresh_name: str, connect: Open) -> None:
    devices = [Device(id=f"wm-{number}", kind="water_meter") for number in range(250)]
    store = connect(influxdb.url, fresh_name, register=Register(devices=devices))
    store.prepare()
    store.write([Reading(device.id, TIME, TIME, {"volume_m3": 1.0}) for device in devices])
    answer = store.series([device.id for device in devices], "volume_m3", TIME, TIME + 1)
    assert answer == {device.id: [Sample(TIME, 1.0)] for device in devices}


@pytest.mark.parametrize(
    ("point", "interval", "aggregate", "complaint"),
    [
        ("power_kw", "7 parrots", "mean", "expected a duration"),
        ("power_kw", "1h", "mean(x); DROP DATABASE campus", "aggregate: expected one of mean, min, max"),
        ("tariff", "1h", "mean", "tariff is no number"),
        ("leak", "1h", "sum", "leak is no number"),
    ],
)
def test_questions_that_make_no_sense(
    connect: Open, point: str, interval: str, aggregate: Aggregate, complaint: str
) -> None:
    with pytest.raises(ValueError, match=complaint.replace("(", r"\(")):
        connect("http://127.0.0.1:9", "x").series(["em-1"], point, 0, 1, interval=interval, aggregate=aggregate)


def test_names_in_questions_are_quoted(influxdb: InfluxDB, fresh_name: str, connect: Open) -> None:
    store = connect(influxdb.url, fresh_name)
    store.prepare()
    assert store.series(["' OR 1=1 --", 'x"\\'], "power\"kw' \\", 0, TIME) == {}


def test_a_missing_database_cannot_answer(influxdb: InfluxDB, fresh_name: str, connect: Open) -> None:
    with pytest.raises(StoreError, match=f"database not found: {fresh_name}"):
        connect(influxdb.url, fresh_name).series(["em-1"], "power_kw", 0, TIME)


# ── refusals ─────────────────────────────────────────────────────────────────────────────────────────────────────

GOOD = Reading("em-1", TIME, TIME, {"power_kw": 1.5})


def test_a_missing_database_is_refused_until_it_is_prepared(influxdb: InfluxDB, fresh_name: str, connect: Open) -> None:
    store = connect(influxdb.url, fresh_name)
    with pytest.raises(StoreRefused, match=f"answers 404 when we write to database {fresh_name}: database not found"):
        store.write([GOOD])
    store.prepare()
    store.write([GOOD])


def test_a_reading_of_another_type_is_rejected_with_the_databases_own_words(
    influxdb: InfluxDB, fresh_name: str, connect: Open
) -> None:
    store = connect(influxdb.url, fresh_name)
    store.prepare()
    store.write([GOOD])
    with pytest.raises(BatchRejected) as caught:
        store.write([Reading("em-1", TIME + 1, TIME, {"power_kw": "much"})])
    assert str(caught.value) == (
        'field type conflict: input field "power_kw" on measurement "electricity_meter" is type string,'
        " already exists as type float"
    )


def test_a_line_that_cannot_be_parsed_is_rejected_without_being_repeated(
    influxdb: InfluxDB, fresh_name: str, connect: Open
) -> None:
    store = connect(influxdb.url, fresh_name)
    store.prepare()
    with pytest.raises(BatchRejected) as caught:
        store.write([Reading("em-1", TIME, TIME, {"power_kw": float("nan")})])
    assert str(caught.value) == "invalid number"


def test_a_write_that_is_too_large(tmp_path: Path, connect: Open) -> None:
    with InfluxDB(tmp_path / "influxdb", http="max-body-size = 1000") as server:
        store = connect(server.url, "small")
        store.prepare()
        with pytest.raises(BatchTooLarge, match="larger than the database takes: Request Entity Too Large"):
            store.write([GOOD] * 100)
        store.write([GOOD])


def test_a_server_that_is_not_there(connect: Open) -> None:
    port = find_free_port()
    with pytest.raises(StoreUnavailable) as caught:
        connect(f"http://127.0.0.1:{port}", "x").write([GOOD])
    assert str(caught.value) == f"http://127.0.0.1:{port} cannot be reached: Connection refused"
    assert caught.value.retry_after_s is None


def test_a_server_that_does_not_answer(tmp_path: Path, connect: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(influxhttp, "_TIMEOUT_MS", (200, 200))
    with InfluxDB(tmp_path / "influxdb") as server:
        store = connect(server.url, "x")
        store.prepare()
        server.pause()
        with pytest.raises(StoreUnavailable, match="cannot be reached: timed out"):
            store.write([GOOD])
        with pytest.raises(StoreUnavailable, match="cannot be reached: timed out"):
            store.series(["em-1"], "power_kw", 0, TIME)


def test_tls_where_there_is_none(influxdb: InfluxDB, connect: Open) -> None:
    with pytest.raises(StoreRefused, match=r"no trust in its TLS \(.*\); check ca_file and url"):
        connect(influxdb.url.replace("http:", "https:"), "x").prepare()


def test_the_wrong_api(influxdb: InfluxDB) -> None:
    parts = InfluxStore(kind="influxdb", api="v2", url=influxdb.url, bucket="x")
    store = InfluxDatabase(parts, Site(id="campus"), REGISTER)
    with pytest.raises(StoreRefused, match=r"answers 404 .*: 404 page not found; check that .* api v2 what it speaks"):
        store.prepare()
    store.close()


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InfluxDB]:
    """InfluxDB that wants to know who comes: root, and siteward, who may do nothing yet."""
    with InfluxDB(tmp_path_factory.mktemp("influxdb"), http="auth-enabled = true") as server:
        server.ask("", "CREATE USER root WITH PASSWORD 'secret-r' WITH ALL PRIVILEGES")
        server.ask("", "CREATE USER siteward WITH PASSWORD 'secret-s'", u="root", p="secret-r")
        yield server


@pytest.fixture
def password(tmp_path: Path) -> Path:
    path = tmp_path / "password"
    path.write_text("secret-s\n", encoding="utf-8")
    return path


def test_nobody_is_let_in_without_a_password(locked: InfluxDB, fresh_name: str, connect: Open) -> None:
    locked.ask("", f"CREATE DATABASE {fresh_name}", u="root", p="secret-r")
    with pytest.raises(StoreRefused) as caught:
        connect(locked.url, fresh_name).write([GOOD])
    assert str(caught.value) == (
        f"{locked.url} does not let us without a user name write to database {fresh_name}: unable to parse"
        " authentication credentials; check username and password_file, and that the user has ALL privileges on"
        f" database {fresh_name}"
    )


def test_a_wrong_password_is_refused_until_its_file_is_mended(
    locked: InfluxDB, fresh_name: str, connect: Open, password: Path
) -> None:
    for statement in (f"CREATE DATABASE {fresh_name}", f"GRANT ALL ON {fresh_name} TO siteward"):
        locked.ask("", statement, u="root", p="secret-r")
    password.write_text("secret-wrong", encoding="utf-8")
    store = connect(locked.url, fresh_name, username="siteward", password_file=password)
    with pytest.raises(StoreRefused, match=r"does not let user siteward write .* authorization failed") as caught:
        store.write([GOOD])
    assert "secret" not in str(caught.value)
    password.write_text("secret-s", encoding="utf-8")
    store.prepare()
    store.write([GOOD])
    assert store.series(["em-1"], "power_kw", TIME, TIME + 1) == {"em-1": [Sample(TIME, 1.5)]}


def test_a_user_without_privileges(locked: InfluxDB, fresh_name: str, connect: Open, password: Path) -> None:
    store = connect(locked.url, fresh_name, username="siteward", password_file=password)
    with pytest.raises(StoreRefused) as caught:
        store.prepare()
    assert str(caught.value) == (
        f"{locked.url}: database {fresh_name} is missing and user siteward may not create it;"
        f' create it with: CREATE DATABASE "{fresh_name}"'
    )
    locked.ask("", f"CREATE DATABASE {fresh_name}", u="root", p="secret-r")
    with pytest.raises(StoreRefused, match=f"not authorized to write to database .*{fresh_name}"):
        store.write([GOOD])
    with pytest.raises(StoreRefused, match="not authorized to execute statement"):
        store.series(["em-1"], "power_kw", 0, TIME)
    assert [finding.good for finding in store.inspect()] == [True, True, False, False]


def test_a_password_file_that_is_missing(influxdb: InfluxDB, connect: Open, tmp_path: Path) -> None:
    store = connect(influxdb.url, "x", username="siteward", password_file=tmp_path / "none")
    with pytest.raises(StoreRefused, match="cannot read the secret"):
        store.prepare()


# ── inspecting ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_healthy_server(influxdb: InfluxDB, fresh_name: str, connect: Open) -> None:
    store = connect(influxdb.url, fresh_name)
    store.prepare()
    server, *findings = store.inspect()
    assert server.good
    assert server.message.startswith("InfluxDB 1.")
    assert findings == [
        Finding("database clock", good=True, message="agrees with ours"),
        Finding(f"database {fresh_name}", good=True, message="may be written to"),
        Finding("queries", good=True, message="InfluxQL is answered"),
        Finding("retention", good=True, message="readings are kept for ever"),
    ]


def test_what_is_missing_and_what_is_kept_too_short(influxdb: InfluxDB, fresh_name: str, connect: Open) -> None:
    store = connect(influxdb.url, fresh_name)
    missing = store.inspect()[2]
    assert missing == Finding(
        f"database {fresh_name}",
        good=False,
        message=f'missing; Siteward creates it at its start where it may, else: CREATE DATABASE "{fresh_name}"',
    )
    influxdb.ask("", f"CREATE DATABASE {fresh_name} WITH DURATION 168h")
    assert store.inspect()[-1] == Finding(
        "retention",
        good=False,
        message="readings are kept for 7d, but late ones may be 35d old (time.past)"
        " and would be rejected; lengthen the retention",
    )


def test_a_server_that_is_not_there_is_all_there_is_to_say(connect: Open) -> None:
    (finding,) = connect(f"http://127.0.0.1:{find_free_port()}", "x").inspect()
    assert (finding.subject, finding.good) == ("database server", False)
    assert "cannot be reached: Connection refused" in finding.message

"""What doctor says, judged from what it was told."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode

from collector.checks import brokerverdicts as verdicts
from collector.checks import gateway, outage
from collector.checks.brokerqueue import Queue
from collector.checks.conversation import make_properties
from collector.checks.outage import Load
from collector.configuration import load
from collector.journal import Journal
from collector.settings import Settings
from collector.store import Finding
from devices.reading import Reading
from devices.register import Register
from tests.sites import write_site

SECOND = 1_000_000_000
DAY = 86_400 * SECOND
NOW = 1_795_000_000 * SECOND


def suback(code: int) -> ReasonCode:
    return ReasonCode(PacketTypes.SUBACK, identifier=code)


# ── the broker ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_certificate_is_bad_three_weeks_before_its_end() -> None:
    now = datetime(2026, 11, 1, tzinfo=UTC)
    good = verdicts.judge_certificate(datetime(2026, 11, 22, tzinfo=UTC), now)
    bad = verdicts.judge_certificate(datetime(2026, 11, 21, 23, tzinfo=UTC), now)
    assert good == Finding("certificate", good=True, message="valid until 2026-11-22, 21 days")
    assert bad.good is False
    assert bad.message == "valid until 2026-11-21, 20 days: renew it before the broker is cut off"


def test_terms_that_the_broker_leaves_out_are_as_asked() -> None:
    session, limits = verdicts.judge_terms(make_properties(PacketTypes.CONNACK), 7 * DAY)
    assert session == Finding("session", good=True, message="kept for 7d while Siteward is away")
    assert limits.good
    assert limits.message == "takes packets of any size, and 65,535 messages before it acknowledges the first"


def test_a_broker_that_forgets_sooner_is_found() -> None:
    terms = make_properties(
        PacketTypes.CONNACK, SessionExpiryInterval=3600, ReceiveMaximum=20, MaximumPacketSize=1_500_000
    )
    session, limits = verdicts.judge_terms(terms, 7 * DAY)
    assert not session.good
    assert session.message == (
        "the broker forgets us and our messages after 1h of absence, not 7d as mqtt.session_expiry says;"
        " raise the broker's limit"
    )
    assert limits.good
    assert limits.message == "takes packets up to 1.5 MB, and 20 messages before it acknowledges the first"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("MaximumQoS", "QoS 1, without which readings get lost"),
        ("RetainAvailable", "retained messages, which the status needs"),
        ("WildcardSubscriptionAvailable", "wildcards in topic filters"),
    ],
)
def test_what_the_broker_does_not_offer_is_named(name: str, words: str) -> None:
    _, limits = verdicts.judge_terms(make_properties(PacketTypes.CONNACK, **{name: 0}), DAY)
    assert limits == Finding("limits", good=False, message=f"the broker does not offer {words}")


def test_filters_must_be_granted_at_qos_1() -> None:
    assert verdicts.judge_filters({"a/+": suback(1), "b": suback(1)}) == Finding(
        "subscriptions", good=True, message="granted: a/+, b"
    )
    assert verdicts.judge_filters({"a/+": suback(1), "b": suback(0)}) == Finding(
        "subscriptions", good=False, message="granted at QoS 0 only, so readings get lost: b"
    )
    assert verdicts.judge_filters({"a/+": suback(0), "b": suback(0x87)}) == Finding(
        "subscriptions", good=False, message="refused: b (Not authorized); allow reading in the broker's ACL"
    )


def test_a_topic_of_our_own_must_be_taken_and_come_back() -> None:
    taken = ReasonCode(PacketTypes.PUBACK, "Success")
    refused = ReasonCode(PacketTypes.PUBACK, "Not authorized")
    topic = "siteward/campus/heartbeat"
    assert verdicts.judge_topic(topic, taken, returned=True) == Finding(
        "heartbeat", good=True, message="siteward/campus/heartbeat may be published"
    )
    assert "is refused (Not authorized)" in verdicts.judge_topic(topic, refused, returned=False).message
    assert "is refused (no answer)" in verdicts.judge_topic(topic, None, returned=False).message
    silent = verdicts.judge_topic(topic, taken, returned=False)
    assert not silent.good
    assert "does not come back" in silent.message


def test_drops_at_the_broker_are_a_finding() -> None:
    told = {
        "$SYS/broker/version": "mosquitto version 2.0.11",
        "$SYS/broker/load/publish/received/1min": "4009.61",
        "$SYS/broker/store/messages/count": "53",
        "$SYS/broker/publish/messages/dropped": "0",
    }
    good = verdicts.judge_statistics(told)
    assert good.good
    assert good.message == (
        "mosquitto version 2.0.11, 4,010 messages/min published, 53 in its store, 0 dropped since its start"
    )
    bad = verdicts.judge_statistics(told | {"$SYS/broker/publish/messages/dropped": "1234"})
    assert not bad.good
    assert "1,234 dropped since its start (any client's" in bad.message


@pytest.mark.parametrize("told", [{}, {"$SYS/broker/uptime": "1 second"}])
def test_statistics_that_are_not_offered_are_no_fault(told: dict[str, str]) -> None:
    finding = verdicts.judge_statistics(told)
    assert finding.good
    assert "offers none under $SYS" in finding.message


def test_statistics_of_an_unknown_form_are_left_out() -> None:
    told = {"$SYS/broker/version": "other 1", "$SYS/broker/publish/messages/dropped": "n/a"}
    assert verdicts.judge_statistics(told) == Finding("statistics", good=True, message="other 1")


def test_a_limited_queue_is_bad_and_says_what_to_set() -> None:
    limited = verdicts.judge_queue(Queue(1000, limited=True))
    assert not limited.good
    assert limited.message.startswith("the broker keeps 1,000 messages for a client that is away, and drops what")
    assert "max_queued_messages 1000000" in limited.message
    assert not verdicts.judge_queue(Queue(0, limited=True)).good
    assert verdicts.judge_queue(Queue(1100, limited=False)).good


# ── the gateway ──────────────────────────────────────────────────────────────────────────────────────────────────


def make_settings(folder: Path, **mqtt: object) -> Settings:
    return Settings.model_validate(
        {
            "site": {"id": "campus"},
            "data_dir": folder / "data",
            "mqtt": {"url": "mqtt://127.0.0.1", "client_id": "siteward", **mqtt},
        },
    )


def test_the_disk_must_have_room_for_the_whole_quota() -> None:
    good = gateway.judge_disk(free=2_000_000_000, quota=2_500_000_000, used=500_000_000)
    bad = gateway.judge_disk(free=1_999_999_999, quota=2_500_000_000, used=500_000_000)
    assert good == Finding("disk", good=True, message="2.0 GB free, the journal may take another 2.0 GB")
    assert not bad.good
    assert bad.message.endswith("free some space, or lower journal.quota")


def test_a_slow_disk_is_a_finding() -> None:
    assert gateway.judge_commit(8.25) == Finding("commit", good=True, message="the disk confirms a write after 8.25 ms")
    assert not gateway.judge_commit(101).good


def test_a_commit_is_measured_and_leaves_nothing(tmp_path: Path) -> None:
    assert gateway.measure_commit(tmp_path) > 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("answer", "good"), [("yes", True), ("no", False), ("", True)])
def test_the_clock_is_bad_only_where_systemd_says_so(answer: str, good: bool) -> None:
    assert gateway.judge_clock(answer).good is good


def test_devices_with_wrong_clocks_are_named_worst_first() -> None:
    skews = {f"em-{number}": number * 60 * SECOND for number in range(8)} | {"door-1": -7200 * SECOND}
    assert gateway.judge_device_clocks({"em-0": 0, "em-1": 60 * SECOND}) == Finding(
        "device clocks", good=True, message="none of 2 is off by more than a minute"
    )
    finding = gateway.judge_device_clocks(skews)
    assert not finding.good
    assert finding.message.startswith(
        "door-1 is 2h ahead, em-7 is 7m behind, em-6 is 6m behind, em-5 is 5m behind, em-4 is 4m behind, and 2 more;"
    )


def test_secrets_that_everybody_may_read_are_named(tmp_path: Path) -> None:
    secret = tmp_path / "mqtt-password"
    secret.write_text("s3cret", encoding="utf-8")
    settings = make_settings(tmp_path, username="siteward", password_file=secret)
    secret.chmod(0o640)
    assert gateway.check_secrets(settings) == Finding(
        "secrets", good=True, message="no other user of this machine can read them"
    )
    secret.chmod(0o644)
    finding = gateway.check_secrets(settings)
    assert not finding.good
    assert finding.message.endswith(f"run: chmod o= {secret}")
    assert "s3cret" not in finding.message


def test_secrets_of_channels_and_of_credentials_are_looked_at_too(tmp_path: Path) -> None:
    config = write_site(
        tmp_path,
        access={"credential_key_file": "credential.keys"},
        notify={
            "channels": {
                "mail": {"kind": "personal", "url_file": "mail.url"},
                "wecom": {"kind": "room", "url_file": "absent.url"},
                "cmms": {"kind": "webhook", "url": "https://cmms.test/", "secret_file": "cmms.key"},
            }
        },
    )
    for name, mode in {"mail.url": 0o644, "cmms.key": 0o642, "credential.keys": 0o640}.items():
        (config / name).write_text("s3cret", encoding="utf-8")
        (config / name).chmod(mode)
    finding = gateway.check_secrets(load(config).settings)
    assert not finding.good
    assert finding.message.endswith(f"run: chmod o= {config / 'cmms.key'} {config / 'mail.url'}")


def test_a_gateway_before_its_first_start_is_good_and_untouched(tmp_path: Path) -> None:
    findings = list(gateway.check_gateway(make_settings(tmp_path), None))
    assert [finding.subject for finding in findings] == ["folder", "disk", "commit", "clock", "secrets"]
    assert findings[0] == Finding("folder", good=True, message=f"{tmp_path / 'data'} is made at the first start")
    assert list(tmp_path.iterdir()) == []


# ── outages ──────────────────────────────────────────────────────────────────────────────────────────────────────

TODAY = Load("at today's rate", messages_per_s=12.0, readings_per_s=24.0, reading_bytes=50.0)


def test_the_broker_drops_after_its_queue_is_full() -> None:
    finding = outage.judge_broker(TODAY, Queue(1000, limited=True), 7 * DAY)
    assert finding == Finding(
        "Siteward down",
        good=False,
        message="at today's rate (12.0 messages/s) the broker drops after 83 s while Siteward is down",
    )
    slow = TODAY._replace(messages_per_s=1000 / 3600)
    assert outage.judge_broker(slow, Queue(1000, limited=True), 7 * DAY).good


def test_a_queue_without_a_limit_is_good_until_the_session_ends() -> None:
    finding = outage.judge_broker(TODAY, Queue(1100, limited=False), 7 * DAY)
    assert finding.good
    assert finding.message == (
        "at today's rate (12.0 messages/s) the broker keeps 91 s at least while Siteward is down;"
        " after 7d it may forget the session"
    )


def test_a_queue_that_was_not_measured_is_said_so() -> None:
    assert "was not measured" in outage.judge_broker(TODAY, None, DAY).message


def test_the_journal_is_full_after_its_room_is_used() -> None:
    # 24 readings/s of 50 bytes are 1,200 bytes/s, 103.68 MB a day; 19.5 days of them are 2,021,760,000 bytes.
    finding = outage.judge_journal(TODAY, 2_021_760_000)
    assert finding == Finding(
        "database down",
        good=True,
        message="at today's rate (103.7 MB a day) the journal is full after 19 days without the database;"
        " then the broker keeps what follows",
    )
    assert not outage.judge_journal(TODAY, 2 * 103_680_000).good


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.0, "0 s"),
        (83.3, "83 s"),
        (120.0, "2 minutes"),
        (7199.0, "119 minutes"),
        (172_799.0, "47 hours"),
        (19.9 * 86_400, "19 days"),
    ],
)
def test_spans_are_said_in_one_unit(seconds: float, words: str) -> None:
    assert outage.show_span(seconds) == words


@pytest.mark.parametrize(
    ("per_s", "words"), [(12.0, "12.0 messages/s"), (0.1, "6.0 messages/min"), (1 / 900, "4.0 messages/h")]
)
def test_rates_are_said_in_a_unit_that_leaves_a_number(per_s: float, words: str) -> None:
    assert outage.show_rate(per_s) == words


def fill(path: Path, *, entries: int, messages: int, per_message: int, every_s: int) -> Journal:
    """A journal with entries up to NOW."""
    moments = iter(range(NOW - (entries - 1) * every_s * SECOND, NOW + 1, every_s * SECOND))
    journal = Journal(path, 1_000_000_000, ("store", "ledger"), clock=lambda: next(moments))
    for entry in range(entries):
        arrivals = [entry * messages + message for message in range(messages)]
        journal.commit(
            [
                Reading(f"em-{arrival % 40}", arrival, arrival, {"energy_import_kwh": arrival / 7, "power_kw": 1.5})
                for arrival in arrivals
                for _ in range(per_message)
            ],
        )
    return journal


def test_the_rate_counts_messages_and_readings(tmp_path: Path) -> None:
    journal = fill(tmp_path / "journal.db", entries=121, messages=60, per_message=2, every_s=10)
    load = outage.measure_load(journal, NOW)
    journal.close()
    assert load is not None
    assert load.source == "at today's rate"
    assert load.messages_per_s == pytest.approx(6.0)
    assert load.readings_per_s == pytest.approx(12.0)


def test_ten_minutes_are_the_least_that_a_rate_is_told_from(tmp_path: Path) -> None:
    journal = fill(tmp_path / "journal.db", entries=60, messages=1, per_message=1, every_s=10)
    assert outage.measure_load(journal, NOW) is None
    journal.close()


def test_what_is_older_than_a_day_says_nothing_about_today(tmp_path: Path) -> None:
    journal = fill(tmp_path / "journal.db", entries=121, messages=1, per_message=1, every_s=10)
    assert outage.measure_load(journal, NOW + 2 * DAY) is None
    journal.close()


def test_the_daemons_own_readings_are_no_messages(tmp_path: Path) -> None:
    moments = iter(range(NOW - 1200 * SECOND, NOW + 1, 30 * SECOND))
    journal = Journal(tmp_path / "journal.db", 1_000_000_000, ("store",), clock=lambda: next(moments))
    for number in range(41):
        journal.commit([Reading("siteward", number, number, {"messages": 0.0})])
    assert outage.measure_load(journal, NOW) is None
    journal.close()


@pytest.mark.parametrize(("messages", "entries"), [(1, 600), (30, 200), (400, 61)])
def test_the_size_of_a_reading_is_what_the_file_grows_by(tmp_path: Path, messages: int, entries: int) -> None:
    path = tmp_path / "journal.db"
    before = Journal(path, 1_000_000_000, ("store",))
    empty = before.measure()
    before.close()
    journal = fill(path, entries=entries, messages=messages, per_message=1, every_s=30)
    load = outage.measure_load(journal, NOW)
    grown = journal.measure() - empty
    journal.close()
    assert load is not None
    assert load.reading_bytes * entries * messages == pytest.approx(grown, rel=0.2)


def test_without_readings_the_register_says_what_is_expected() -> None:
    register = Register.model_validate(
        {
            "devices": [
                {"id": "em-1", "kind": "electricity_meter", "interval": "10s"},
                {"id": "em-2", "kind": "electricity_meter", "interval": "2s"},
                {"id": "door-1", "kind": "door"},
            ],
        },
    )
    load = outage.expect_load(register)
    assert load is not None
    assert load.messages_per_s == pytest.approx(0.6)
    findings = list(
        outage.check_outage(register, None, None, quota=1_000_000_000, free=500_000_000, expiry=DAY, now=NOW),
    )
    assert [finding.subject for finding in findings] == ["rate", "Siteward down", "database down"]
    # 0.6 readings/s of 150 bytes are 90 bytes/s: 500 MB last for 64.3 days.
    assert (
        "at the rate that the register expects (7.8 MB a day) the journal is full after 64 days" in findings[2].message
    )


def test_without_readings_and_intervals_nothing_is_claimed() -> None:
    findings = list(outage.check_outage(Register(), None, None, quota=1, free=1, expiry=DAY, now=NOW))
    assert [finding.subject for finding in findings] == ["rate"]


def test_what_is_kept_for_a_replay_gives_way_in_an_outage(tmp_path: Path) -> None:
    journal = fill(tmp_path / "journal.db", entries=121, messages=60, per_message=1, every_s=10)

    def days() -> str:
        findings = list(
            outage.check_outage(
                Register(),
                journal,
                None,
                quota=journal.used_bytes,
                free=10**12,
                expiry=DAY,
                now=NOW,
            ),
        )
        return findings[-1].message

    assert "is full after 0 s" in days()
    for consumer in ("store", "ledger"):
        journal.advance(consumer, journal.head)
    # 7,260 readings at 6 a second: 20 minutes of them have been read by everybody.
    assert "is full after 20 minutes" in days()
    journal.close()

"""The judge as a whole: engine and dispatcher, one state, and what the daemon says of itself."""

from collections.abc import Mapping

from devices.durations import NANOSECONDS
from devices.reading import Reading
from devices.register import SELF
from rules.judge import Judge
from rules.orders import Order
from tests.rulebench import at, make_site, read_rules

M = NANOSECONDS["m"]
START = at("2026-03-02 08:00")

_DEVICES: list[Mapping[str, object]] = [
    {"id": "gw", "kind": "gateway"},
    *({"id": f"em-{n}", "kind": "electricity_meter", "gateway": "gw"} for n in range(3)),
]
_RULES = """
- {id: silent, when: {silent: {for: 10m}}, severity: major}
- {id: silent-learned, when: {silent: {learned: true}}, severity: major}
- {id: voltage, when: {threshold: {point: voltage_v, above: 253 V}}}
"""

_OUTAGE = [*(("hold", "silent", f"em-{n}") for n in range(3)), ("open", "silent", "gw")]


def _make(now: int = START) -> Judge:
    return Judge(read_rules(_RULES), make_site(_DEVICES), now)


def _hear(judge: Judge, now: int) -> list[Order]:
    orders = []
    for device in ("gw", "em-0", "em-1", "em-2"):
        orders += judge.evaluate(Reading(device, now, now, {"voltage_v": 230.0}))
    return orders


def _own(judge: Judge, now: int, uptime_s: float, connected: float = 1.0) -> list[Order]:
    return judge.evaluate(Reading(SELF, now, now, {"uptime_s": uptime_s, "connected": connected}))


def _shape(orders: list[Order]) -> list[tuple[str, str, str]]:
    return [(order.kind, order.transition.rule, order.transition.subject.id) for order in orders]


def test_a_dead_gateway_is_one_ticket_and_what_hangs_on_it_is_affected() -> None:
    judge = _make()
    _hear(judge, START)
    orders = judge.advance(START + 11 * M)
    assert sorted(_shape(orders)) == _OUTAGE


def test_nobody_was_silent_while_the_daemon_was_down() -> None:
    judge = _make()
    _hear(judge, START)
    later = START + 120 * M
    assert _own(judge, later, uptime_s=1.0) == []
    assert judge.advance(later + 9 * M) == []
    assert len(judge.advance(later + 11 * M)) == 4


def test_nobody_was_silent_while_there_was_no_broker() -> None:
    judge = _make()
    _hear(judge, START)
    now = START
    while now < START + 60 * M:
        now += M
        assert _own(judge, now, uptime_s=(now - START) / NANOSECONDS["s"] + 3600, connected=0.0) == []
    assert _own(judge, now + M, uptime_s=9999.0) == []
    assert sorted(_shape(judge.advance(now + 12 * M))) == _OUTAGE


def test_a_daemon_that_runs_on_does_not_excuse_anybody() -> None:
    judge = _make()
    _hear(judge, START)
    orders = []
    for minute in range(1, 13):
        orders += _own(judge, START + minute * M, uptime_s=3600.0 + 60 * minute)
    assert sorted(_shape(orders)) == _OUTAGE


def test_a_silence_that_was_told_lasts_over_a_restart() -> None:
    judge = _make()
    _hear(judge, START)
    opened = judge.advance(START + 11 * M)
    assert _own(judge, START + 60 * M, uptime_s=1.0) == []
    cleared = _hear(judge, START + 61 * M)
    assert {order.kind for order in cleared} == {"clear"}
    assert len(cleared) == len(opened)


def test_it_goes_on_from_its_snapshot_as_if_nothing_had_happened() -> None:
    judge, other = _make(), _make(0)
    _hear(judge, START)
    judge.evaluate(Reading("em-1", START + M, START + M, {"voltage_v": 260.0}))
    other.restore(judge.snapshot())
    for each in (judge, other):
        orders = each.evaluate(Reading("em-1", START + 2 * M, START + 2 * M, {"voltage_v": 230.0}))
        assert _shape(orders) == [("clear", "voltage", "em-1")]
    assert judge.advance(START + 20 * M) == other.advance(START + 20 * M)
    assert judge.snapshot() == other.snapshot()


def test_a_rule_that_is_taken_away_clears_its_alerts() -> None:
    judge = _make()
    judge.evaluate(Reading("em-1", START, START, {"voltage_v": 260.0}))
    orders = judge.use([rule for rule in read_rules(_RULES) if rule.id != "voltage"], make_site(_DEVICES))
    assert _shape(orders) == [("clear", "voltage", "em-1")]
    assert orders[0].transition.cause == "rule removed"

"""The collector's own health, from its measurement `siteward`: does it hear, keep and store everything?"""

from collector.dashboards.panels import BAD, GOOD, ODD, PLAIN, bars, curves, figure, steps
from collector.dashboards.query import DAILY, FINE, Query, ask, ask_values, within
from collector.dashboards.sheet import Sheet

_SOURCE = "siteward"
_SITE = within("site")
_LEDGER = ("readings", "stored", "late", "duplicates", "quarantined", "store_rejected")
"""What became of readings and messages, day by day; the whole ledger, by device and hour: `siteward ledger`."""


def draw(sheet: Sheet) -> None:
    """Fills the dashboard."""
    sheet.choose("site", ask_values(_SOURCE, "site"))
    _show_figures(sheet)
    sheet.row("row.readings")
    rates = ("messages", "readings", "stored", "judged")
    sheet.add("rates", curves(*(_rate(sheet, field) for field in rates), unit="cps", interval="1m", floor=0), 12)
    lags = [_newest(sheet, field) for field in ("store_lag_readings", "rules_lag_readings")]
    sheet.add("lags", curves(*lags, unit="short", floor=0), 12)
    sheet.add(
        "ledger", bars(*(_count(sheet, field) for field in _LEDGER), unit="short", interval="1d", stacked=False), 24
    )
    sheet.row("row.keeping")
    sizes = [_newest(sheet, field) for field in ("journal_bytes", "journal_quota_bytes")]
    sheet.add("journal", curves(*sizes, unit="bytes", floor=0), 12)
    troubles = ("store_retries", "store_rejected", "quarantined", "sessions_forgotten", "reload_failures")
    sheet.add("troubles", bars(*(_count(sheet, field, FINE) for field in troubles), unit="short"), 12)
    sheet.row("row.machine")
    sheet.add("memory", curves(_newest(sheet, "memory_bytes"), unit="bytes", floor=0), 8)
    cpu = Query(ask('non_negative_derivative(max("cpu_s"), 1s)', _SOURCE, _SITE, by=FINE), sheet.say("cpu_s"))
    sheet.add("cpu", curves(cpu, unit="percentunit", floor=0), 8)
    sheet.add("uptime", curves(_newest(sheet, "uptime_s"), unit="s", floor=0), 8)


def _show_figures(sheet: Sheet) -> None:
    def newest(field: str) -> Query:
        return Query(ask(field, _SOURCE, _SITE))

    states = {"0": (sheet.say("away"), BAD), "1": (sheet.say("connected"), GOOD)}
    sheet.add("connected", figure(newest('last("connected")'), unit="short", names=states), 4, 4)
    limits = steps(GOOD, (1_000, ODD), (100_000, BAD))
    sheet.add("waiting", figure(newest('last("store_lag_readings")'), unit="short", limits=limits), 4, 4)
    full = newest('last("journal_bytes") / last("journal_quota_bytes")')
    sheet.add("full", figure(full, unit="percentunit", limits=steps(GOOD, (0.5, ODD), (0.8, BAD)), decimals=1), 4, 4)
    sheet.add("devices", figure(newest('last("devices_seen")'), unit="short", limits=steps(PLAIN)), 4, 4)
    sheet.add("up", figure(newest('last("uptime_s")'), unit="s", limits=steps(ODD, (3_600, GOOD))), 4, 4)
    sheet.add("bad", figure(newest('last("quarantined")'), unit="short", limits=steps(GOOD, (1, ODD))), 4, 4)


def _newest(sheet: Sheet, field: str) -> Query:
    return Query(ask(f'max("{field}")', _SOURCE, _SITE, by=FINE), sheet.say(field))


def _rate(sheet: Sheet, field: str) -> Query:
    """By the second; a restart, which begins counters anew, is left out."""
    return Query(ask(f'non_negative_derivative(max("{field}"), 1s)', _SOURCE, _SITE, by=FINE), sheet.say(field))


def _count(sheet: Sheet, field: str, by: str = DAILY) -> Query:
    """How much a counter rose; a restart is left out."""
    question = ask(f'non_negative_difference(max("{field}"))', _SOURCE, _SITE, by=by, local=by == DAILY)
    return Query(question, sheet.say(field))

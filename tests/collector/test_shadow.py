"""The shadow: what drafts tell beside the rules in force, how both are compared, and the commands."""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import msgpack
from typer.testing import CliRunner, Result

from collector import drafts
from collector.cli import app
from collector.configuration import load
from collector.errors import CollectorError
from collector.folder import ConfigurationError
from collector.shadow import Shadow
from collector.shadowbook import SHADOW_FILE, ShadowBook, Told, compare, read_book
from collector.shadowing import Shadowing
from devices.durations import NANOSECONDS
from devices.reading import Reading
from rules.conditions.threshold import Threshold
from rules.rule import Rule
from tests.rulebench import at, make_site, read_rules, reading
from tests.sites import write_site

MINUTE = NANOSECONDS["m"]
START = at("2026-03-02 00:00")
SITE = make_site([
    {"id": "gw", "kind": "gateway"},
    {"id": "em-1", "kind": "electricity_meter", "gateway": "gw"},
    {"id": "em-2", "kind": "electricity_meter", "gateway": "gw"},
])  # fmt: skip
RULES = read_rules("""
- {id: high, when: {threshold: {point: voltage_v, above: 250 V}}}
- {id: low, when: {threshold: {point: voltage_v, below: 200 V}}}
- {id: gateway, select: {kind: gateway}, when: {silent: {for: 10m}}}
- {id: meter, select: {kind: electricity_meter}, when: {silent: {for: 10m}}}
""")


def draft(text: str) -> list[Rule]:
    return read_rules(text)


HIGHER = draft("[{id: high, when: {threshold: {point: voltage_v, above: 260 V}}}]")


@pytest.fixture
def book(tmp_path: Path) -> Iterator[ShadowBook]:
    book = ShadowBook(tmp_path / SHADOW_FILE)
    yield book
    book.close()


def make_shadow(book: ShadowBook, changed: Sequence[Rule]) -> Shadow:
    shadow = Shadow(book)
    shadow.use(RULES, changed, SITE, START)
    return shadow


def volts(device: str, *values: float, first: int = 0) -> list[Reading]:
    return [reading(device, START + (first + number) * MINUTE, voltage_v=value) for number, value in enumerate(values)]


def feed(shadow: Shadow, readings: Sequence[Reading]) -> None:
    for each in sorted(readings, key=lambda each: each.received):
        shadow.evaluate(each)


def minutes(alerts: Sequence[Told]) -> list[tuple[str, int]]:
    return [(told.subject, (told.opened - START) // MINUTE) for told in alerts]


# ── both sides ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_both_sides_are_told_apart(book: ShadowBook) -> None:
    shadow = make_shadow(book, HIGHER)
    feed(shadow, [*volts("em-1", 230, 255, 265, 230), *volts("em-2", 230, 255, 230, 190)])
    found = compare(book.told("live", "high"), book.told("draft", "high"))
    assert minutes(found.only_live) == [("device em-2", 1)]
    assert found.only_draft == []
    ((live, other),) = found.both
    assert (minutes([live]), minutes([other])) == ([("device em-1", 1)], [("device em-1", 2)])
    assert (other.resolved, other.placed, other.evidence["value"]) == (START + 3 * MINUTE, "open", 265.0)
    assert book.told("live", "low") == []  # nobody asked for that one


def test_a_new_rule_has_nobody_beside_it(book: ShadowBook) -> None:
    shadow = make_shadow(book, draft("[{id: new, when: {threshold: {point: voltage_v, above: 240 V}}}]"))
    feed(shadow, volts("em-1", 230, 245, 245))
    assert minutes(book.told("draft", "new")) == [("device em-1", 1)]
    assert book.told("live", "new") == []


def test_time_passes_and_a_failed_gateway_holds_back_on_both_sides(book: ShadowBook) -> None:
    shadow = make_shadow(book, draft("[{id: meter, select: {kind: electricity_meter}, when: {silent: {for: 20m}}}]"))
    feed(shadow, [*volts("em-1", 230), reading("gw", START, uptime_s=1)])
    shadow.advance(START + 60 * MINUTE)
    found = compare(book.told("live", "meter"), book.told("draft", "meter"))
    assert [one.placed for pair in found.both for one in pair] == ["hold"] * 4
    assert not found.only_live
    assert not found.only_draft


def test_without_drafts_nothing_is_judged(book: ShadowBook) -> None:
    shadow = make_shadow(book, [])
    feed(shadow, volts("em-1", 300))
    shadow.advance(START + 60 * MINUTE)
    assert (shadow.snapshot(), book.trials()) == ({}, [])


def test_a_changed_draft_begins_anew_and_the_others_go_on(book: ShadowBook) -> None:
    lower = draft("[{id: low, when: {threshold: {point: voltage_v, below: 190 V}}}]")
    shadow = make_shadow(book, [*HIGHER, *lower])
    feed(shadow, [*volts("em-1", 230, 255, 265), *volts("em-2", 230, 195)])
    changed = draft("[{id: high, when: {threshold: {point: voltage_v, above: 262 V}}}]")
    shadow.use(RULES, [*changed, *lower], SITE, START + 5 * MINUTE)
    assert [(trial.rule, (trial.began - START) // MINUTE) for trial in book.trials()] == [("high", 5), ("low", 0)]
    assert book.told("draft", "high") == []
    assert minutes(book.told("live", "low")) == [("device em-2", 1)]
    feed(shadow, volts("em-1", 230, 270, first=6))
    assert minutes(book.told("draft", "high")) == [("device em-1", 7)]
    shadow.use(RULES, [], SITE, START + 9 * MINUTE)
    assert book.trials() == []


@given(st.lists(st.tuples(st.sampled_from(["em-1", "em-2"]), st.sampled_from([230.0, 255.0, 265.0]))), st.integers(0))
@settings(deadline=None)  # what it opens is a database
def test_a_restart_changes_nothing(values: list[tuple[str, float]], at_: int) -> None:
    readings = [
        reading(device, START + number * MINUTE, voltage_v=value) for number, (device, value) in enumerate(values)
    ]
    cut = at_ % (len(readings) + 1)
    whole, parts = ShadowBook(Path(":memory:")), ShadowBook(Path(":memory:"))
    feed(make_shadow(whole, HIGHER), readings)
    first = make_shadow(parts, HIGHER)
    feed(first, readings[:cut])
    state = msgpack.decode(msgpack.encode(first.snapshot()))
    feed(first, readings[cut : cut + 3])  # judged, and then judged again after a crash
    second = make_shadow(parts, HIGHER)
    second.restore(state)
    feed(second, readings[cut:])
    for side in ("live", "draft"):
        assert parts.told(side, "high") == whole.told(side, "high")
    assert parts.trials() == whole.trials()
    whole.close()
    parts.close()


def test_a_state_that_cannot_be_read_begins_anew(book: ShadowBook) -> None:
    shadow = make_shadow(book, HIGHER)
    shadow.restore({"live": {"engine": {"version": 0}, "dispatcher": {"cases": [], "leads": []}}, "draft": {}})
    feed(shadow, volts("em-1", 230, 265))
    assert minutes(book.told("draft", "high")) == [("device em-1", 1)]


def test_a_draft_that_fails_is_set_aside(book: ShadowBook, monkeypatch: pytest.MonkeyPatch) -> None:
    lower = draft("[{id: low, when: {stuck: {point: voltage_v, for: 10m}}}]")
    shadow = make_shadow(book, [*HIGHER, *lower])
    node = type(HIGHER[0].when.build(_NoScope()))  # type: ignore[arg-type] # hears nobody
    monkeypatch.setattr(node, "take", _break)
    shadow.use(RULES, [*HIGHER, *lower], SITE, START)
    feed(shadow, volts("em-1", 230, 265))
    failures = {trial.rule: trial.failure for trial in book.trials()}
    assert "rule high" in failures["high"]
    assert "broken" in failures["high"]
    monkeypatch.undo()
    shadow.use(RULES, [*HIGHER, *lower], SITE, START)
    feed(shadow, volts("em-1", 265, first=5))
    assert book.told("draft", "high") == []  # until it is changed


def _break(*_: object) -> bool:
    raise ZeroDivisionError("broken")


class _NoScope:
    def __init__(self) -> None:
        self.devices = (SITE.devices["em-1"],)
        self.site = SITE

    def listen(self, *_: object) -> None:
        pass


def test_a_book_that_cannot_be_written_stops_nobody(tmp_path: Path) -> None:
    book = ShadowBook(tmp_path / SHADOW_FILE)
    shadow = make_shadow(book, HIGHER)
    book.close()
    feed(shadow, volts("em-1", 230, 265))
    assert shadow.trouble


# ── comparing ────────────────────────────────────────────────────────────────────────────────────────────────────────


def told(subject: str, since: int, resolved: int | None) -> Told:
    return Told(subject, since, since, resolved, "minor", "open", {})


def test_the_same_is_what_has_a_time_in_common() -> None:
    live = [told("a", 10, 20), told("a", 30, None), told("b", 10, 20)]
    other = [told("a", 20, 25), told("a", 26, 28), told("a", 50, None), told("b", 21, 30)]
    found = compare(live, other)
    assert found.both == [(live[0], other[0]), (live[1], other[2])]
    assert (found.only_live, found.only_draft) == ([live[2]], [other[1], other[3]])


ALERTS = st.lists(
    st.builds(
        lambda subject, since, length: told(subject, since, None if length is None else since + length),
        st.sampled_from("ab"),
        st.integers(0, 50),
        st.none() | st.integers(1, 20),
    ),
    max_size=8,
)


@given(ALERTS, ALERTS)
def test_each_alert_is_on_one_side_or_in_both(live: list[Told], other: list[Told]) -> None:
    found, turned = compare(live, other), compare(other, live)
    assert {id(one) for one in live} == {id(one) for one in found.only_live} | {id(one) for one, _ in found.both}
    assert {id(one) for one in other} == {id(one) for one in found.only_draft} | {id(one) for _, one in found.both}
    assert (found.only_live, found.only_draft) == (turned.only_draft, turned.only_live)
    assert compare(live, live).only_live == []


# ── drafts and commands ──────────────────────────────────────────────────────────────────────────────────────────────

FILE = """\
# Electricity
rules:
  - id: high  # EN 50160
    when: {threshold: {point: voltage_v, above: 250 V}}
  # the other
  - {id: low, when: {threshold: {point: voltage_v, below: 200 V}}}
"""
CHANGED = """\
rules:
- id: high
  # measured for a month
  when: {threshold: {point: voltage_v, above: 260 V}}
"""


def run(*words: object) -> Result:
    return CliRunner().invoke(app, ["rules", "shadow", *map(str, words)], env={"COLUMNS": "150"})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    config = write_site(tmp_path)
    (config / "rules").mkdir()
    (config / "rules" / "a.yaml").write_text(FILE, encoding="utf-8")
    (tmp_path / "changed.yaml").write_text(CHANGED, encoding="utf-8")
    return config


def test_from_start_to_promotion(folder: Path, tmp_path: Path) -> None:
    result = run("start", tmp_path / "changed.yaml", "-c", folder)
    assert (result.exit_code, result.stdout) == (
        0,
        f"high: beside the rule in force; {folder}/rules/drafts/high.yaml\n",
    )
    configuration = load(folder)
    assert len(configuration.rules) == 2  # the draft is not in force
    assert json.loads(run("list", "-c", folder, "--json").stdout)[0]["since"] is None
    assert "The daemon has not begun" in run("diff", "high", "-c", folder).stdout

    data = configuration.settings.data_dir
    data.mkdir()
    book = ShadowBook(data / SHADOW_FILE)
    shadow = Shadow(book)
    found = [each.rule for each in drafts.read_drafts(configuration)]
    shadow.use(configuration.rules, found, configuration.rule_site(), START)
    feed(shadow, volts("em-1", 230, 255, 230, 230, 265))
    book.close()
    result = run("diff", "high", "-c", folder)
    assert result.exit_code == 1
    (changed,) = [line for line in result.stdout.splitlines() if "fires when" in line]
    assert changed.index("voltage_v is above 250 V") < changed.index("voltage_v is above 260 V")
    assert "severity" not in result.stdout  # only what is not the same is shown
    (alone,) = [line for line in result.stdout.splitlines() if "255 V" in line]
    assert "yes" in alone
    assert "as soon" in result.stdout
    said = json.loads(run("diff", "high", "-c", folder, "--json").stdout)
    assert [len(said[key]) for key in ("only_live", "only_draft", "both")] == [1, 0, 1]
    assert said["only_live"][0]["opened"] == "2026-03-02T00:01:00Z"
    assert run("list", "-c", folder).stdout.count("high") == 1

    assert run("promote", "high", "-c", folder).stdout == f"high is in force: {folder}/rules/a.yaml\n"
    assert (
        (folder / "rules" / "a.yaml").read_text(encoding="utf-8")
        == """\
# Electricity
rules:
  - id: high
    # measured for a month
    when: {threshold: {point: voltage_v, above: 260 V}}
  # the other
  - {id: low, when: {threshold: {point: voltage_v, below: 200 V}}}
"""
    )
    assert "There are no drafts" in run("list", "-c", folder).stdout
    (threshold,) = [rule.when.threshold for rule in load(folder).rules if rule.id == "high"]
    assert isinstance(threshold, Threshold)


def test_a_draft_that_asks_for_no_ticket_is_shown_without_one(folder: Path, tmp_path: Path) -> None:
    text = CHANGED.replace("260", "240") + "  ticket: null\n"
    (tmp_path / "changed.yaml").write_text(text, encoding="utf-8")
    assert run("start", tmp_path / "changed.yaml", "-c", folder).exit_code == 0
    configuration = load(folder)
    configuration.settings.data_dir.mkdir()
    book = ShadowBook(configuration.settings.data_dir / SHADOW_FILE)
    shadow = Shadow(book)
    found = [each.rule for each in drafts.read_drafts(configuration)]
    shadow.use(configuration.rules, found, configuration.rule_site(), START)
    feed(shadow, volts("em-1", 230, 245, 245))
    book.close()
    result = run("diff", "high", "-c", folder)
    (alone,) = [line for line in result.stdout.splitlines() if "245 V" in line]
    assert "none" in alone


def test_a_new_rule_becomes_a_file(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "new.yaml").write_text("rules:\n  - {id: new, when: {silent: {for: 1h}}}\n", encoding="utf-8")
    assert "new: a new rule" in run("start", tmp_path / "new.yaml", "-c", folder).stdout
    assert run("promote", "new", "-c", folder).exit_code == 0
    assert [rule.id for rule in load(folder).rules] == ["high", "low", "new"]


def test_a_draft_is_dropped(folder: Path, tmp_path: Path) -> None:
    run("start", tmp_path / "changed.yaml", "-c", folder)
    assert run("stop", "high", "-c", folder).stdout == "The draft of high is gone.\n"
    assert "there is no draft of rule 'high'" in run("stop", "high", "-c", folder).stderr


def test_what_cannot_begin(folder: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(CHANGED.replace("voltage_v", "voltag_v"), encoding="utf-8")
    result = run("start", wrong, "-c", folder)
    assert result.exit_code == 2
    assert "wrong.yaml:4:" in result.stderr
    assert not (folder / "rules" / "drafts").exists()
    assert "is as the one in force" in run("start", folder / "rules" / "a.yaml", "-c", folder).stderr
    wrong.write_text("rules: []\n", encoding="utf-8")
    assert "there is no rule in it" in run("start", wrong, "-c", folder).stderr
    wrong.write_text("rules: [{id: x, when: {silent: {for: 1h}}, select: {device: gone}}]\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="gone"):
        drafts.start(load(folder), wrong)


def test_a_rule_in_brackets_is_left_to_people(folder: Path, tmp_path: Path) -> None:
    run("start", tmp_path / "changed.yaml", "-c", folder)
    text = "rules: [{id: high, when: {threshold: {point: voltage_v, above: 1 V}}}]\n"
    (folder / "rules" / "a.yaml").write_text(text, encoding="utf-8")
    configuration = load(folder)
    with pytest.raises(CollectorError, match="change the rule by hand"):
        drafts.promote(configuration, drafts.find(configuration, "high"))
    assert (folder / "rules" / "a.yaml").read_text(encoding="utf-8") == text
    assert (folder / "rules" / "drafts" / "high.yaml").exists()


def test_a_book_that_is_none(folder: Path, tmp_path: Path) -> None:
    run("start", tmp_path / "changed.yaml", "-c", folder)
    data = load(folder).settings.data_dir
    data.mkdir()
    (data / SHADOW_FILE).write_bytes(b"no database at all, but long enough to be looked at" * 40)
    result = run("diff", "high", "-c", folder)
    assert result.exit_code == 1
    assert "not a database" in result.stderr
    with pytest.raises(sqlite3.Error):
        read_book(data / SHADOW_FILE, "high")


# ── as the daemon keeps it ───────────────────────────────────────────────────────────────────────────────────────────


def test_the_folder_of_drafts_says_what_is_judged(folder: Path, tmp_path: Path) -> None:
    configuration = load(folder)
    data = configuration.settings.data_dir
    data.mkdir()
    shadowing = Shadowing()
    shadowing.refresh(configuration, START)
    assert not shadowing.active
    assert not (data / SHADOW_FILE).exists()  # a site without drafts has no book

    run("start", tmp_path / "changed.yaml", "-c", folder)
    shadowing.refresh(configuration, START)
    assert shadowing.active
    for each in volts("em-1", 230, 255):
        shadowing.evaluate(each)
    state = msgpack.decode(msgpack.encode(shadowing.snapshot()))
    shadowing.close()
    assert minutes(read_book(data / SHADOW_FILE, "high")[1].only_live) == [("device em-1", 1)]

    shadowing = Shadowing()
    shadowing.refresh(configuration, 0)
    shadowing.restore(state)
    bad = folder / "rules" / "drafts" / "bad.yaml"
    bad.write_text("rules: [{id: bad}]\n", encoding="utf-8")
    shadowing.refresh(configuration, START + 2 * MINUTE)
    assert [problem.file for problem in shadowing.problems] == [bad]
    for each in volts("em-1", 265, 230, first=2):
        shadowing.evaluate(each)
    shadowing.advance(START + 5 * MINUTE)
    trial, found = read_book(data / SHADOW_FILE, "high")
    assert trial is not None
    assert trial.began == START
    assert [(one.opened - START, other.opened - START) for one, other in found.both] == [(MINUTE, 2 * MINUTE)]

    assert "bad.yaml:1:9: missing key 'when'" in run("stop", "bad", "-c", folder).stderr
    bad.unlink()
    assert run("stop", "high", "-c", folder).exit_code == 0
    shadowing.refresh(configuration, START + 6 * MINUTE)
    assert not shadowing.active
    assert shadowing.snapshot() == {}
    shadowing.close()


def test_a_book_that_cannot_be_opened_is_tried_again(folder: Path, tmp_path: Path) -> None:
    run("start", tmp_path / "changed.yaml", "-c", folder)
    configuration = load(folder)
    shadowing = Shadowing()
    shadowing.refresh(configuration, START)  # there is no folder for it yet
    shadowing.evaluate(volts("em-1", 300)[0])
    assert not shadowing.active
    configuration.settings.data_dir.mkdir()
    shadowing.refresh(configuration, START)
    assert shadowing.active
    shadowing.close()

"""`siteward tickets` and `siteward mutes`: what people see and do on a terminal."""

import json
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from collector.cli import app
from collector.configuration import load
from collector.deskopening import make_desk, open_desk_database
from collector.runbooks import SHIPPED
from tests.deskbench import Bench
from tests.sites import write_site

DESK = """
people: {li: {name: {en: Li Na}}, wang: {name: {en: Wang Wei}}}
teams: {plumbers: {name: {en: Plumbers}, members: [li, wang]}}
categories: {plumbing: {name: {en: Plumbing}, team: plumbers}}
duty: [{team: plumbers, people: wang}]
"""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    config = write_site(tmp_path)
    (config / "desk.yaml").write_text(DESK, encoding="utf-8")
    monkeypatch.setenv("SITEWARD_CONFIG", str(config))
    monkeypatch.setenv("SITEWARD_USER", "li")
    monkeypatch.setenv("COLUMNS", "200")
    return config


def run(*words: str, code: int = 0) -> str:
    result = CliRunner().invoke(app, [*words])
    assert result.exit_code == code, result.output
    return result.output


def read(*words: str) -> object:
    return json.loads(run(*words, "--json"))


@pytest.mark.usefixtures("site")
def test_a_request_from_the_first_word_to_the_last() -> None:
    assert "(Wang Wei)" in run("tickets", "open", "Tap drips", "--category", "plumbing", "-m", "since Monday")
    run("tickets", "ack", "1")
    run("tickets", "take", "1")
    run("tickets", "wait", "1", "parts")
    run("tickets", "resume", "1")
    run("tickets", "comment", "1", "new washer")
    run("tickets", "hand-over", "1", "wang", "-m", "holiday")
    assert "resolved" in run("tickets", "done", "1", "--as", "wang")
    run("tickets", "rate", "1", "--speed", "5", "--attitude", "4", "--resolution", "3")
    run("tickets", "close", "1")
    run("tickets", "reopen", "1", "-m", "drips again")
    run("tickets", "assign", "1", "li")
    run("tickets", "resolve", "1")
    assert "resolved" in run("tickets", "show", "1")
    shown = run("tickets", "show", "1")
    assert "handed over from li to wang" in shown
    assert "rated: speed 5, attitude 4, resolution 3" in shown
    file = read("tickets", "show", "W-2026-00001" if "W-2026-00001" in shown else shown.split()[0])
    assert isinstance(file, dict)
    assert [event["kind"] for event in file["events"]] == [
        "opened", "acknowledged", "taken", "paused", "resumed", "commented", "handed_over", "done", "resolved", "rated",
        "closed", "reopened", "assigned", "resolved",
    ]  # fmt: skip


@pytest.mark.usefixtures("site")
def test_lists_are_filtered() -> None:
    run("tickets", "open", "Tap drips", "--category", "plumbing", "--urgency", "critical")
    run("tickets", "open", "Paper", "--kind", "supplies")
    run("tickets", "take", "2")

    def titles(*options: str) -> list[str]:
        rows = read("tickets", "list", *options)
        assert isinstance(rows, list)
        return [row["title"] for row in rows]

    assert titles() == ["Tap drips", "Paper"]
    assert titles("--sort", "opened") == ["Paper", "Tap drips"]
    assert titles("--mine") == titles("--owner", "li") == titles("--kind", "supplies") == ["Paper"]
    assert titles("--team", "plumbers") == titles("--category", "plumbing") == titles("--state", "new") == ["Tap drips"]
    assert titles("--overdue") == titles("--state", "closed") == []
    assert titles("--most", "1") == ["Tap drips"]
    assert run("tickets", "cancel", "1", "-m", "double").startswith("W-")
    assert titles() == ["Paper"]
    assert titles("--state", "all") == ["Tap drips", "Paper"]
    table = run("tickets", "list")
    assert "in progress" in table
    assert "Li Na" in table


@pytest.mark.usefixtures("site")
def test_nothing_to_show() -> None:
    assert "No tickets." in run("tickets", "list")
    assert "Nothing is kept quiet." in run("mutes", "list")


@pytest.mark.usefixtures("site")
@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["tickets", "show", "7"], 1, "there is no ticket W-"),
        (["tickets", "list", "--state", "opn"], 2, "--state: expected one of open, all, new"),
        (["tickets", "list", "--sort", "size"], 2, "--sort: expected one of priority, deadline, opened"),
        (["tickets", "open", "x", "--kind", "incident"], 1, "incidents are raised by rules"),
        (["tickets", "open", "x", "--category", "plumbin"], 1, "did you mean plumbing?"),
        (["tickets", "wait", "1", "rain"], 2, "FOR: expected one of parts, access"),
        (["tickets", "cancel", "1"], 2, "--comment"),
        (["mutes", "shelve", "em-2", "--for", "2h", "-m", "x"], 1, "no device or place 'em-2'; did you mean em-1?"),
        (["mutes", "maintenance", "em-1", "--for", "soon", "-m", "x"], 2, "--for: expected a duration"),
        (["mutes", "end", "3"], 1, "there is no mute 3, or it is over"),
    ],
)
def test_what_is_wrong_is_said(words: list[str], code: int, message: str) -> None:
    assert message in run(*words, code=code)


def test_mutes_are_opened_listed_and_ended(site: Path) -> None:
    (site / "devices.csv").write_text("id,kind,building,floor\nem-1,electricity_meter,A,1F\n", encoding="utf-8")
    run("tickets", "open", "Change the meter")
    assert run("mutes", "maintenance", "A/1F", "em-1", "--for", "2h", "-m", "new meter", "--ticket", "1").startswith(
        "mai"
    )
    assert run("mutes", "shelve", "site", "--for", "1h", "-m", "fire drill").startswith("shelf 2 until")
    rows = read("mutes", "list")
    assert isinstance(rows, list)
    assert [(row["kind"], row["what"], row["why"], row["who"]) for row in rows] == [
        ("maintenance", "floor A/1F, device em-1", "new meter", "li"),
        ("shelf", "site site", "fire drill", "li"),
    ]
    assert "alerts are kept quiet until" in run("tickets", "show", "1")
    run("mutes", "end", "2")
    assert len(rows) - 1 == len(read("mutes", "list"))  # type: ignore[arg-type] # a list


def test_a_ticket_shows_the_file_of_its_runbook(site: Path) -> None:
    rule = "{id: high, when: {threshold: {point: voltage_v, above: 253 V}}, ticket: {runbook: docs/runbooks/leak.md}}"
    (site / "rules").mkdir()
    (site / "rules" / "a.yaml").write_text(f"rules: [{rule}]\n", encoding="utf-8")
    configuration = load(site)
    with closing(open_desk_database(configuration)) as database:
        desk = make_desk(configuration, database)
        desk.apply([Bench(database).order("open", "high")])
    assert str(SHIPPED / "docs" / "runbooks" / "leak.md") in run("tickets", "show", "1")
    file = read("tickets", "show", "1")
    assert isinstance(file, dict)
    assert file["ticket"]["runbook"] == "docs/runbooks/leak.md"


def test_a_database_that_cannot_be_used_is_told(site: Path) -> None:
    folder = site.parent / "data" / "desk.db"
    folder.mkdir(parents=True)
    assert "unable to open database file; look at the folder's rights" in run("tickets", "list", code=1)


def test_the_address_of_a_server_is_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = write_site(tmp_path, desk={"database": {"url": "postgresql://siteward:secret@db/siteward"}})
    monkeypatch.setenv("SITEWARD_CONFIG", str(config))
    assert "leave the password out; use password_file" in " ".join(run("tickets", "list", code=2).split())
    write_site(tmp_path, desk={"database": {"url": "mysql://db/siteward"}})
    assert "url: expected postgresql://" in " ".join(run("tickets", "list", code=2).split())

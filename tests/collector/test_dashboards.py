"""Dashboards as files: the same as the module makes, in a form that Grafana 11 loads, in both languages."""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import units
from grafana_foundation_sdk.models.dashboard import Dashboard
from typer.testing import CliRunner

from collector.cli import app
from collector.configuration import load
from collector.dashboards.export import render
from collector.dashboards.texts import PANELS, TEXTS
from collector.telemetry import FIGURES
from devices.points import POINTS
from tests.grafana import Question, Span, choose_interval, expand, questions, variables
from tests.sites import write_site

ROOT = Path(__file__).parents[2]
GRAFANA = ROOT / "deploy" / "grafana"
TEXT = dict(render())
BOARDS: dict[str, Any] = {str(path): json.loads(text) for path, text in TEXT.items()}
NAMES = ["overview", "electricity", "water", "access", "desk", "health"]
SPAN = Span(0, 7 * 86_400_000)

FUNCTIONS = {
    "sum",
    "mean",
    "min",
    "max",
    "last",
    "count",
    "non_negative_derivative",
    "non_negative_difference",
}
"""What InfluxDB 1.6 has and 3 supports: https://docs.influxdata.com/influxdb3/core/reference/influxql/feature-support/"""

ROLLED = {
    "consumption": {"energy_kwh", "energy_off_hours_kwh", "volume_m3", "volume_off_hours_m3"}
    | {"cost", "emissions_kgco2e", "known_ratio", "estimated_ratio"},
    "balance": {"main_kwh", "subs_kwh", "loss_kwh", "main_m3", "subs_m3", "loss_m3"},
    "occupancy": {"people"},
    "desk": {"open", "unowned", "response_overdue", "resolution_overdue"},
    "service": {"opened", "resolved", "response_met_ratio", "resolution_met_ratio"},
}
TAGS = {"site", "building", "floor", "area", "device", "utility", "role", "team", "kind", "priority"}
TAGS |= {"rule", "severity", "state", "category"}
DRAWN = {"title", "state_text", "value", "number", "duration_s"}


def walk(value: object) -> Iterator[Mapping[str, Any]]:
    """Every object within a document."""
    if isinstance(value, dict):
        yield value
        for each in value.values():
            yield from walk(each)
    elif isinstance(value, list):
        for each in value:
            yield from walk(each)


# ── the files ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_is_shipped_is_what_the_module_makes() -> None:
    shipped = {path.relative_to(GRAFANA / "dashboards") for path in GRAFANA.glob("dashboards/**/*.json")}
    assert shipped == set(TEXT)
    for path, text in TEXT.items():
        found = (GRAFANA / "dashboards" / path).read_text(encoding="utf-8")
        assert found == text, "run: .venv/bin/siteward dashboards export --to deploy/grafana/dashboards"


def test_uids_are_for_ever() -> None:
    assert {path: board["uid"] for path, board in BOARDS.items()} == {
        f"{language}/{name}.json": f"siteward-{name}-{language}" for language in ("en", "zh") for name in NAMES
    }


@pytest.mark.parametrize("name", NAMES)
def test_both_languages_have_the_same_panels_and_questions(name: str) -> None:
    english, chinese = BOARDS[f"en/{name}.json"], BOARDS[f"zh/{name}.json"]
    for key in ("id", "type", "gridPos", "interval"):
        assert [panel.get(key) for panel in english["panels"]] == [panel.get(key) for panel in chinese["panels"]]
    asked = [[question.text for question in questions(board)] for board in (english, chinese)]
    assert asked[0] == asked[1]
    assert list(variables(english)) == list(variables(chinese))


def test_every_text_is_there_in_both_languages_and_is_used() -> None:
    texts = [text for words in PANELS.values() for text in (words.title, words.about)]
    assert all(text.en and text.zh for text in [*texts, *TEXTS.values()])
    shown = {f"{path[3:-5]}": board for path, board in BOARDS.items() if path.startswith("en/")}
    panels = Counter(name for name, board in shown.items() for panel in board["panels"] if panel["type"] != "row")
    assert panels == Counter(key.split(".")[0] for key in PANELS)
    document = json.dumps(list(shown.values()), ensure_ascii=False)
    assert [key for key, text in TEXTS.items() if not all(word in document for word in text.en.split())] == []
    assert all(words.about.en.endswith(".") and words.about.zh.endswith("。") for words in PANELS.values())


def test_provisioning_finds_the_dashboards_and_asks_by_influxql() -> None:
    [source] = yaml.safe_load((GRAFANA / "provisioning/datasources/siteward.yaml").read_text("utf-8"))["datasources"]
    assert (source["type"], source["jsonData"]["version"], source["access"]) == ("influxdb", "InfluxQL", "proxy")
    assert re.fullmatch(r"\$__file\{/run/secrets/\w+\}", source["secureJsonData"]["password"])
    providers = yaml.safe_load((GRAFANA / "provisioning/dashboards/siteward.yaml").read_text("utf-8"))["providers"]
    folders = [Path(provider["options"]["path"]) for provider in providers]
    assert [folder.name for folder in folders] == ["en", "zh"]
    assert {str(folder.parent) for folder in folders} == {"/var/lib/grafana/dashboards"}


# ── what Grafana loads ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("path", BOARDS)
def test_grafana_s_own_types_read_it_and_lose_nothing(path: str) -> None:
    board = json.loads(json.dumps(BOARDS[path]))
    assert board["schemaVersion"] == 41  # of Grafana 11.6
    again = json.loads(json.dumps(Dashboard.from_json(board), cls=JSONEncoder))
    for each in (board, again):  # the types know only annotations of Grafana's own
        for annotation in each["annotations"]["list"]:
            annotation.pop("target")
    assert again == board


@pytest.mark.parametrize("path", BOARDS)
def test_panels_have_ids_and_stand_beside_each_other(path: str) -> None:
    panels = BOARDS[path]["panels"]
    assert [panel["id"] for panel in panels] == list(range(1, len(panels) + 1))
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        place = panel["gridPos"]
        columns, lines = range(place["x"], place["x"] + place["w"]), range(place["y"], place["y"] + place["h"])
        cells = {(column, line) for column in columns for line in lines}
        assert columns[-1] < 24
        assert not cells & taken, panel["title"]
        taken |= cells


@pytest.mark.parametrize("path", BOARDS)
def test_every_reference_leads_somewhere(path: str) -> None:
    board = BOARDS[path]
    sources = [each["datasource"] for each in walk(board) if "datasource" in each]
    assert {(source["type"], source["uid"]) for source in sources} == {("influxdb", "${datasource}")}
    known: list[str] = []
    for name, variable in variables(board).items():
        assert set(re.findall(r"\$\{(\w+)", str(variable["query"]))) <= set(known), name
        known.append(name)
    used = {name for question in questions(board) for name in re.findall(r"\$\{(\w+)", question.text)}
    assert used <= set(known)
    assert len({panel["title"] for panel in board["panels"] if panel["type"] != "row"}) > 10
    for panel in board["panels"]:
        names = [target["refId"] for target in panel.get("targets", ())]
        assert names == sorted(set(names))
    links = [each["url"] for each in walk(board) if each.get("url")]
    uids = {each["uid"] for each in BOARDS.values()}
    assert {match for link in links for match in re.findall(r"/d/([\w-]+)", link)} <= uids


@pytest.mark.parametrize("path", BOARDS)
def test_units_are_grafana_s_or_written_out(path: str) -> None:
    known = {value for name, value in vars(units).items() if name[0].isupper()}
    used = {each["unit"] for each in walk(BOARDS[path]) if "unit" in each}
    used |= {each["value"] for each in walk(BOARDS[path]) if each.get("id") == "unit"}
    assert {unit for unit in used if not unit.startswith("suffix:")} <= known


# ── what databases understand ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", NAMES)
def test_questions_are_such_as_influxdb_1_2_and_3_understand(name: str) -> None:
    board = BOARDS[f"en/{name}.json"]
    asked = [question.text for question in questions(board)]
    asked += [variable["query"] for variable in variables(board).values() if variable["type"] == "query"]
    for text in asked:
        assert text.startswith(("SELECT ", "SHOW TAG VALUES FROM ")), text
        assert "$timeFilter" in text, text
        assert ";" not in text, text
        assert not re.search(r"\b(INTO|SLIMIT|SOFFSET|EXPLAIN|CONTINUOUS)\b", text, re.IGNORECASE), text
        called = set(re.findall(r"\b(\w+)\(", text)) - {"time", "fill", "tz"}
        assert called <= FUNCTIONS, text
        assert text.count("tz(") <= 2
        assert "GROUP BY time(1d)" not in text or "tz('${timezone:raw}')" in text, text


@pytest.mark.parametrize("name", NAMES)
def test_questions_name_fields_and_tags_that_exist(name: str) -> None:
    fields = {**{f"{kind}_meter": set(POINTS) for kind in ("electricity", "water")}, **ROLLED}
    fields |= {"door": set(POINTS), "alert": DRAWN, "ticket": DRAWN}
    fields["siteward"] = {figure.name for figure in FIGURES}
    for question in questions(BOARDS[f"en/{name}.json"]):
        [measurement] = re.findall(r'FROM "(\w+)"', question.text)
        made = {"x", *re.findall(r'AS "(\w+)"', question.text)}
        named = set(re.findall(r'"(\w+)"', question.text)) - {measurement} - made
        assert named <= fields[measurement] | TAGS, question.text


# ── for one site ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_site_s_own_clock_money_voltage_and_desk_go_in(tmp_path: Path) -> None:
    devices = (
        "id,kind,nominal_voltage\nem-1,electricity_meter,220 V\nem-2,electricity_meter,220 V\nem-3,electricity_meter,\n"
    )
    site = {"id": "site", "timezone": "Asia/Shanghai"}
    config = write_site(tmp_path, devices, site=site, notify={"link": "https://desk.example/tickets/{number}"})
    (config / "tariffs.yaml").write_text(
        "electricity:\n  - {from: 2026-01-01, price: 0.68 CNY/kWh}\n", encoding="utf-8"
    )
    boards = {str(path): json.loads(text) for path, text in render(load(config))}
    electricity = boards["zh/electricity.json"]
    zone = variables(electricity)["timezone"]
    assert (electricity["timezone"], zone["type"], zone["query"], zone["hide"]) == (
        "Asia/Shanghai",
        "constant",
        "Asia/Shanghai",
        2,
    )
    [voltage] = [panel for panel in electricity["panels"] if panel["title"] == "电压"]
    limits = [step["value"] for step in voltage["fieldConfig"]["defaults"]["thresholds"]["steps"]]
    assert limits == pytest.approx([None, 198, 242])
    assert {"suffix: CNY"} <= {each.get("unit") for each in walk(electricity)}
    links = {each["url"] for each in walk(boards["en/desk.json"]) if each.get("url")}
    assert "https://desk.example/tickets/${__value.raw}" in links


def test_without_a_site_the_reader_chooses_whose_midnight_ends_a_day() -> None:
    board = BOARDS["en/water.json"]
    zone = variables(board)["timezone"]
    assert (board["timezone"], zone["type"], zone["query"], zone["hide"]) == ("browser", "textbox", "UTC", 0)
    assert not [each for each in walk(BOARDS["en/desk.json"]) if "desk.example" in each.get("url", "")]


def test_the_command_writes_them(tmp_path: Path) -> None:
    config = write_site(tmp_path, site={"id": "site", "timezone": "Europe/Berlin"})
    told = CliRunner().invoke(
        app, ["dashboards", "export", "--to", str(tmp_path / "new" / "folder"), "-c", str(config)]
    )
    assert told.exit_code == 0, told.output
    assert "Wrote 12 dashboards" in told.output
    written = {path.relative_to(tmp_path / "new" / "folder") for path in tmp_path.glob("new/folder/*/*.json")}
    assert written == set(TEXT)
    board = json.loads((tmp_path / "new" / "folder" / "en" / "water.json").read_text(encoding="utf-8"))
    assert board["timezone"] == "Europe/Berlin"


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "en").write_text("in the way", encoding="utf-8")
    told = CliRunner().invoke(app, ["dashboards", "export", "--to", str(tmp_path)], env={"SITEWARD_CONFIG": ""})
    assert told.exit_code == 1
    assert f"{tmp_path / 'en'}: cannot be written" in told.stderr.replace("\n", "")


# ── how tests put values in ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "value", "expected"),
    [
        ("${servers:regex}", ["test1.", "test2"], r"(test1\.|test2)"),  # the example of Grafana's documentation
        ("${servers:regex}", ["a/b (1)"], r"a\/b \(1\)"),
        ("${servers:regex}", "1F", "1F"),
        ("/^${servers:regex}$/", ".*", "/^.*$/"),
        ("tz('${servers:raw}')", "Asia/Shanghai", "tz('Asia/Shanghai')"),
        ("$timeFilter", "", "time >= 0ms and time <= 604800000ms"),
        ("time($__interval)", "", "time(15m)"),
    ],
)
def test_variables_and_macros_are_put_in_as_grafana_does(text: str, value: str | list[str], expected: str) -> None:
    assert expand(Question("", text), {"servers": value}, SPAN) == expected


@pytest.mark.parametrize(
    ("span", "least", "expected"),
    [(Span(0, 3_600_000), "1s", "5s"), (Span(0, 3_600_000), "1m", "1m"), (Span(0, 10**12), "1m", "1d")],
)
def test_an_interval_is_at_least_what_the_panel_says(span: Span, least: str, expected: str) -> None:
    assert choose_interval(span, least) == expected

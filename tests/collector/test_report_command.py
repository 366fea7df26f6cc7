"""`siteward report`: names of files, formats, periods, and what it says where it cannot."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from collector.commands.report import PURPOSES, app
from collector.reports.makers import MAKERS
from tests.reportsite import ReportSite, meter

STARTS = {"html": b"<!DOCTYPE html>", "pdf": b"%PDF-", "xlsx": b"PK", "csv": b"\xef\xbb\xbfreport,period"}


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    site = ReportSite(tmp_path, [meter("em-1"), meter("wm-1", kind="water_meter")])
    for device in ("em-1", "wm-1"):
        site.run(device, "2026-03-01", "2026-04-01", 1.0)
    site.store.close()
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return site.configuration.folder


def call(*words: str | Path) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def test_every_report_has_a_command() -> None:
    assert PURPOSES.keys() == MAKERS.keys()


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_report_can_be_made_in_both_languages(config: Path, name: str, language: str) -> None:
    result = call(name, "-c", config, "-p", "2026-03", "-l", language)
    assert result.exit_code == 0, result.output
    page = Path(f"site-{name}-2026-03.html").read_text(encoding="utf-8")
    assert f'<html lang="{"zh-CN" if language == "zh" else "en"}">' in page
    assert f"site-{name}-2026-03.html" in result.stdout


@pytest.mark.parametrize("kind", STARTS)
def test_every_format_can_be_chosen_by_name_or_ending(config: Path, kind: str, tmp_path: Path) -> None:
    assert call("energy", "-c", config, "-p", "2026-03", "-f", kind).exit_code == 0
    assert Path(f"site-energy-2026-03.{kind}").read_bytes().startswith(STARTS[kind])
    assert call("energy", "-c", config, "-p", "2026-03", "-o", tmp_path / f"mine.{kind}").exit_code == 0
    assert (tmp_path / f"mine.{kind}").read_bytes().startswith(STARTS[kind])


def test_a_folder_gets_a_file_and_an_older_one_is_replaced(config: Path, tmp_path: Path) -> None:
    file = tmp_path / "site-water-2026-03.csv"
    file.write_text("old", encoding="utf-8")
    assert call("water", "-c", config, "-p", "2026-03", "-f", "csv", "-o", tmp_path).exit_code == 0
    assert "2972.0" in file.read_text(encoding="utf-8-sig")  # 31 days of 96 quarters, less the hour that is left out
    assert [each.name for each in tmp_path.iterdir() if each.name.startswith(".")] == []


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["-p", "2026-13"], "expected 2026-10-05, 2026-W40"),
        (["-p", "2099"], "it has not begun"),
        (["-p", "2026-03", "-o", "missing/x.html"], "there is no folder missing"),
        (["-p", "2026-03", "-f", "pdf", "-o", "x.csv"], "does not fit"),
        (["-p", "2026-03", "-f", "docx"], "docx"),
    ],
)
def test_what_cannot_be_done_is_said(config: Path, words: list[str], told: str) -> None:
    result = call("energy", "-c", config, *words)
    assert result.exit_code == 2
    assert told in " ".join(result.output.split())
    assert list(Path().iterdir()) == []

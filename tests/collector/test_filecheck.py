from pathlib import Path

import pytest

from collector.configuration import load
from collector.filecheck import find_exposed, find_missing, find_strangers

SITE = """\
site: {id: campus}
data_dir: ../data
mqtt:
  url: mqtts://broker
  client_id: siteward
  username: siteward
  password_file: secret
  ca_file: ca.pem
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A configuration with every file that it names."""
    folder = tmp_path / "config"
    folder.mkdir()
    (folder / "siteward.yaml").write_text(SITE, encoding="utf-8")
    (folder / "secret").write_text("p\n")
    (folder / "secret").chmod(0o640)
    (folder / "ca.pem").write_text("certificate")
    return folder


def test_all_is_there(folder: Path) -> None:
    configuration = load(folder)
    assert [*find_missing(configuration), *find_exposed(configuration), *find_strangers(configuration)] == []


def test_files_that_are_not_there(folder: Path) -> None:
    (folder / "secret").unlink()
    (folder / "ca.pem").unlink()
    assert [str(problem) for problem in find_missing(load(folder))] == [
        (
            f"{folder}/siteward.yaml:7:18: password_file: cannot read {folder}/secret: No such file or directory"
            " (write it, or set SITEWARD_MQTT_PASSWORD)"
        ),
        (
            f"{folder}/siteward.yaml:8:12: ca_file: cannot read {folder}/ca.pem: No such file or directory"
            " (put it there, or correct its name)"
        ),
    ]


def test_a_secret_from_the_environment_needs_no_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "secret").unlink()
    monkeypatch.setenv("SITEWARD_MQTT_PASSWORD", "p")
    assert list(find_missing(load(folder))) == []


def test_an_empty_secret(folder: Path) -> None:
    (folder / "secret").write_text("\n")
    (problem,) = find_missing(load(folder))
    assert problem.message == f"password_file: {folder}/secret is empty"


def test_the_password_of_the_desk(folder: Path) -> None:
    database = "desk: {database: {url: 'postgresql://siteward@db/siteward', password_file: none}}\n"
    (folder / "siteward.yaml").write_text(SITE + database, encoding="utf-8")
    (problem,) = find_missing(load(folder))
    assert str(problem) == (
        f"{folder}/siteward.yaml:9:76: password_file: cannot read {folder}/none: No such file or directory"
        " (write it, or set SITEWARD_DESK_PASSWORD)"
    )


def test_a_secret_for_everybody(folder: Path) -> None:
    (folder / "secret").chmod(0o644)
    assert [str(problem) for problem in find_exposed(load(folder))] == [
        (
            f"{folder}/siteward.yaml:7:18: password_file: everybody on this machine may read or write {folder}/secret"
            f" (chmod o= {folder}/secret)"
        ),
    ]


def test_files_that_nothing_reads(folder: Path) -> None:
    (folder / "profiles").mkdir()
    (folder / "rules").mkdir()
    names = ("device.yaml", "places.yml", "profiles/mine.yml", "rules/a.yml", ".hidden.yaml", "notes.txt")
    for name in (*names, "rules/a.yaml", "rules/a.test.yaml"):
        (folder / name).write_text("")
    assert [str(problem).replace(f"{folder}/", "") for problem in find_strangers(load(folder))] == [
        "device.yaml: nothing reads this file (did you mean devices.yaml?)",
        "places.yml: nothing reads this file (did you mean places.yaml?)",
        "profiles/mine.yml: nothing reads this file (profiles end in .yaml)",
        "rules/a.yml: nothing reads this file (rules end in .yaml)",
    ]


def test_files_of_channels(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    channels = """\
notify:
  channels:
    mail: {kind: personal, url_file: mail.url}
    cmms: {kind: webhook, url: "https://cmms.test/", secret_file: cmms.key, ca_file: cmms.pem}
"""
    (folder / "siteward.yaml").write_text(SITE + channels, encoding="utf-8")
    (folder / "mail.url").write_text("mailto://desk:p@campus.test?to={address}")
    (folder / "mail.url").chmod(0o644)
    configuration = load(folder)
    assert [str(problem).replace(f"{folder}/", "") for problem in find_exposed(configuration)] == [
        "siteward.yaml:11:38: url_file: everybody on this machine may read or write mail.url (chmod o= mail.url)"
    ]
    assert [str(problem).replace(f"{folder}/", "") for problem in find_missing(configuration)] == [
        (
            "siteward.yaml:12:67: secret_file: cannot read cmms.key: No such file or directory"
            " (write it, or set SITEWARD_NOTIFY_CMMS)"
        ),
        (
            "siteward.yaml:12:86: ca_file: cannot read cmms.pem: No such file or directory"
            " (put it there, or correct its name)"
        ),
    ]
    monkeypatch.setenv("SITEWARD_NOTIFY_CMMS", "whsec_p")
    assert [problem.message.partition(":")[0] for problem in find_missing(configuration)] == ["ca_file"]

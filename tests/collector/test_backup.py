"""Backup and restore of a site at rest: all comes back as it was, and trouble is told before anything is touched."""

import ast
import gzip
import io
import json
import os
import sqlite3
import tarfile
from collections.abc import Callable
from contextlib import closing
from fnmatch import fnmatch
from importlib import import_module
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, insert, select, text
from typer.testing import CliRunner, Result

from collector import schema
from collector.backup import restoring
from collector.backup.archive import KNOWN, MANIFEST, SUMS, BackupError, verify
from collector.backup.deskrows import leave_room
from collector.backup.moment import ASIDE, PASSING
from collector.backup.taking import take_backup
from collector.claim import RESTORING, claim
from collector.cli import app
from collector.configuration import load
from collector.daemon import Daemon
from collector.reports.deliverybook import DeliveryBook
from tests.deskbench import Bench, open_file
from tests.sites import write_site
from tickets.database import Database, file_url, migrate, open_database
from tickets.tables import LETTERS, NAMES, NUMBERS

ROOT = Path(__file__).parents[2]
SECRET = "a-word-that-must-not-be-seen"  # noqa: S105 - the test's own


class Silent:
    """Progress that nobody watches."""

    def expect(self, count: int) -> None:
        pass

    def advance(self, count: int) -> None:
        pass


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments], env={"COLUMNS": "500"})


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A site that ran once: with every file that a daemon makes, a password, rules, and tickets."""
    folder = tmp_path / "site"
    config = write_site(
        folder,
        mqtt={"url": "mqtt://127.0.0.1:1", "client_id": "siteward", "username": "us", "password_file": "password"},
    )
    (config / "password").write_text(SECRET, encoding="utf-8")
    (config / "rules").mkdir()
    (config / "rules" / "mine.yaml").write_text("rules: []\n", encoding="utf-8")
    daemon = Daemon(load(config))
    daemon.start()
    daemon.stop()
    with closing(sqlite3.connect(folder / "data" / "shadow.db")) as shadow:
        shadow.execute("CREATE TABLE trial (rule TEXT)")
    database = open_file(folder / "data")
    Bench(database).do("open")
    database.close()
    with DeliveryBook(folder / "data") as book:
        (book.folder / "site-energy-2026-10.pdf").write_bytes(b"%PDF-1.7")
    return config


@pytest.fixture
def archive(config: Path, tmp_path: Path) -> Path:
    path = tmp_path / "backup.tar.gz"
    assert run("backup", path, "--config", config).exit_code == 0
    return path


def content_of(path: Path) -> object:
    """A file's bytes; a database's rows, however they lie in it, without numbers that a restore skips."""
    if path.suffix != ".db":
        return path.read_bytes()
    with closing(sqlite3.connect(path)) as connection:
        return [line for line in connection.iterdump() if not line.startswith('INSERT INTO "ticket_number"')]


def read_folder(folder: Path) -> dict[str, object]:
    return {
        str(path.relative_to(folder)): content_of(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "lock"
    }


def rewrite(archive: Path, change: Callable[[dict[str, bytes]], None]) -> None:
    """Changes members of an archive, as a program that made it otherwise."""
    with tarfile.open(archive) as tar:
        members = {info.name: tar.extractfile(info).read() for info in tar}  # type: ignore[union-attr] # files only
    change(members)
    with tarfile.open(archive, "w:gz") as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))


def refusal(archive: Path, config: Path, *options: str) -> str:
    result = run("restore", archive, "--config", config, *options)
    assert (result.exit_code, result.stdout) == (1, "")
    return result.stderr.splitlines()[-1].removeprefix("Not restored: ")


# ── there and back ───────────────────────────────────────────────────────────────────────────────────────────────


def test_all_but_secrets_comes_back_as_it_was(config: Path, archive: Path, tmp_path: Path) -> None:
    new = tmp_path / "new" / "config"
    result = run("restore", archive, "--config", new)
    assert result.exit_code == 0, result.output
    before, after = read_folder(config.parent / "data"), read_folder(tmp_path / "new" / "data")
    databases = {"desk.db", "journal.db", "reports/deliveries.db", "shadow.db", "store.db"}
    assert set(before) == databases | {"credential.keys", "rules.snapshot", "reports/site-energy-2026-10.pdf"}
    assert after == before
    secretless = {name: text for name, text in read_folder(config).items() if name != "password"}
    assert read_folder(new) == secretless
    assert f"Put back, for no backup holds them: {new}/password\n" in result.stdout
    data = tmp_path / "new" / "data"
    assert {path.stat().st_mode & 0o777 for path in data.rglob("*") if path.is_file()} == {0o600}


def test_the_archive_is_for_its_owner_and_holds_no_password(config: Path, archive: Path) -> None:
    assert archive.stat().st_mode & 0o777 == 0o600
    assert SECRET.encode() not in gzip.decompress(archive.read_bytes())
    with tarfile.open(archive) as tar:
        manifest = json.load(tar.extractfile(MANIFEST))  # type: ignore[arg-type] # it is a file
        names = tar.getnames()
    assert (names[0], names[-1]) == (MANIFEST, SUMS)
    assert manifest["left_out"] == [f"{config}/password"]
    assert manifest["formats"] == dict(KNOWN)


def test_a_site_goes_on_from_it(archive: Path, tmp_path: Path) -> None:
    new = tmp_path / "new" / "config"
    run("restore", archive, "--config", new)
    (new / "password").write_text(SECRET, encoding="utf-8")
    daemon = Daemon(load(new))
    daemon.start()
    daemon.stop()
    assert daemon.journal.damage is None


def test_what_was_there_is_moved_aside_with_replace(config: Path, archive: Path) -> None:
    data = config.parent / "data"
    (data / "note").write_text("later", encoding="utf-8")
    (config / "rules" / "later.yaml").write_text("rules: []\n", encoding="utf-8")
    before = read_folder(data)
    assert run("restore", archive, "--config", config, "--replace").exit_code == 0
    (aside,) = data.glob("before-restore-*")
    assert read_folder(aside / "data") == before
    assert read_folder(aside / "config") == {"rules/later.yaml": b"rules: []\n"}
    assert (config / "password").read_text(encoding="utf-8") == SECRET
    assert not (data / "note").exists()
    assert not (data / RESTORING).exists()


def test_the_configuration_may_stay(config: Path, archive: Path, tmp_path: Path) -> None:
    other = write_site(tmp_path / "other", data_dir=str(tmp_path / "elsewhere"))
    before = read_folder(other)
    assert run("restore", archive, "--config", other, "--keep-config").exit_code == 0
    assert read_folder(other) == before
    assert read_folder(tmp_path / "elsewhere") == read_folder(config.parent / "data")


def test_keys_go_where_the_settings_keep_them(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    config = write_site(tmp_path / "site", access={"credential_key_file": str(keys)})
    assert run("credentials", "rotate", "--config", config).exit_code == 0
    content = keys.read_bytes()
    assert run("backup", tmp_path / "backup.tar.gz", "--config", config).exit_code == 0
    keys.unlink()
    assert run("restore", tmp_path / "backup.tar.gz", "--config", config).exit_code == 0
    assert keys.read_bytes() == content
    keys.write_bytes(b"others")
    assert "in the way: " in refusal(tmp_path / "backup.tar.gz", config)
    assert run("restore", tmp_path / "backup.tar.gz", "--config", config, "--replace").exit_code == 0
    assert keys.read_bytes() == content


names = st.text("abcxyz0189", min_size=1, max_size=8).filter(lambda name: not any(fnmatch(name, p) for p in PASSING))


@example({"a": b"SQLite format 3\0"})
@given(st.dictionaries(st.lists(names, min_size=1, max_size=3).map("/".join), st.binary(max_size=3000), max_size=6))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_files_come_back(tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes]) -> None:
    folder = tmp_path_factory.mktemp("site")
    config = write_site(folder)
    (folder / "data").mkdir()
    for name, content in files.items():
        path = folder / "data" / name
        if not path.exists() and not any(parent.is_file() for parent in path.parents):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    take_backup(load(config), folder / "backup.tar.gz", Silent())
    restoring.restore_backup(folder / "backup.tar.gz", folder / "new" / "config", Silent())
    assert read_folder(folder / "new" / "data") == read_folder(folder / "data")


# ── what a backup refuses ────────────────────────────────────────────────────────────────────────────────────────


def test_a_folder_gives_the_archive_its_name_and_nothing_is_overwritten(config: Path, tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    assert run("backup", tmp_path / "kept", "--config", config).exit_code == 0
    (made,) = (tmp_path / "kept").iterdir()
    assert fnmatch(made.name, "siteward-site-20[0-9][0-9]????T??????Z.tar.gz")
    result = run("backup", made, "--config", config)
    assert result.exit_code == 1
    assert f"{made}: is there already, and a backup is never overwritten; choose another name\n" in result.stderr


@pytest.mark.parametrize("place", ["site/data", "site/config"])
def test_a_backup_does_not_go_into_what_is_backed_up(config: Path, tmp_path: Path, place: str) -> None:
    result = run("backup", tmp_path / place, "--config", config)
    assert result.exit_code == 1
    assert "which is what is backed up; choose a place outside\n" in result.stderr


@pytest.mark.parametrize("place", [slice(20, 100), slice(100, 4000), slice(4096, 8192)])
def test_a_damaged_database_is_in_it_and_said(config: Path, tmp_path: Path, place: slice) -> None:
    path = config.parent / "data" / "store.db"
    content = bytearray(path.read_bytes())
    content[place] = b"\xa5" * (place.stop - place.start)
    path.write_bytes(content)
    result = run("backup", tmp_path / "backup.tar.gz", "--config", config)
    assert result.exit_code == 1
    assert "Damaged, and in it as it is: data/store.db: " in result.stderr
    assert run("restore", tmp_path / "backup.tar.gz", "--config", tmp_path / "new" / "config").exit_code == 0
    assert content_of(tmp_path / "new" / "data" / "desk.db") == content_of(config.parent / "data" / "desk.db")


def test_a_journal_that_is_damaged(config: Path, tmp_path: Path) -> None:
    path = config.parent / "data" / "journal.db"
    path.write_bytes(b"SQLite format 3\0 and no more")
    result = run("backup", tmp_path / "backup.tar.gz", "--config", config)
    assert result.exit_code == 1
    assert "the start of the daemon saves what can be read: then try again\n" in result.stderr
    assert not (tmp_path / "backup.tar.gz").exists()


# ── what a restore refuses, before it touches anything ───────────────────────────────────────────────────────────


def test_data_in_the_way(config: Path, archive: Path) -> None:
    before = read_folder(config.parent)
    message = refusal(archive, config)
    assert message.startswith(f"in the way: {config}/../data/credential.keys, {config}/../data/desk.db, ")
    assert message.endswith(
        "; nothing was touched, with --replace they are moved aside and the backup takes their place"
    )
    assert read_folder(config.parent) == before


def test_a_running_daemon(config: Path, archive: Path) -> None:
    descriptor = claim(config.parent / "data")  # as a daemon does
    try:
        message = refusal(archive, config, "--replace")
    finally:
        os.close(descriptor)
    assert message == f"{config}/../data: another Siteward runs on this data_dir; stop it, or choose another"


def test_another_sites_archive(archive: Path, tmp_path: Path) -> None:
    other = write_site(tmp_path / "other", site={"id": "harbour"})
    assert refusal(archive, other, "--replace") == (
        f"{archive}: is of site site, and {other}/siteward.yaml is of site harbour; nothing was touched,"
        " choose another --config"
    )
    assert not (tmp_path / "other" / "data").exists()


@pytest.mark.parametrize("name", KNOWN)
def test_an_archive_of_a_newer_version(archive: Path, tmp_path: Path, name: str) -> None:
    def make_newer(members: dict[str, bytes]) -> None:
        manifest = json.loads(members[MANIFEST])
        manifest["formats"][name] += 1
        members[MANIFEST] = json.dumps(manifest | {"version": "9.0.0"}).encode()

    rewrite(archive, make_newer)
    new = tmp_path / "new"
    assert refusal(archive, new) == (
        f"{archive}: made by Siteward 9.0.0, where the format of {name} is {KNOWN[name] + 1}; this one (0.1.0) knows"
        f" {KNOWN[name]}: install that version, then restore"
    )
    assert not new.exists()


def test_a_member_that_was_changed(archive: Path, tmp_path: Path) -> None:
    rewrite(archive, lambda members: members.update({"config/devices.csv": b"id,kind\n"}))
    assert refusal(archive, tmp_path / "new") == (
        f"{archive}: damaged: config/devices.csv is not what was put in; nothing was touched, use another backup"
    )


def test_a_member_that_is_missing(archive: Path, tmp_path: Path) -> None:
    rewrite(archive, lambda members: members.__delitem__("config/devices.csv"))
    assert "damaged: config/devices.csv is not what was put in" in refusal(archive, tmp_path / "new")


@pytest.mark.parametrize("name", ["../evil", "/evil", "config/../../evil", "etc/passwd"])
def test_a_member_that_leads_elsewhere(archive: Path, tmp_path: Path, name: str) -> None:
    def before_sums(members: dict[str, bytes]) -> None:
        sums = members.pop(SUMS)
        members[name] = b"evil"
        members[SUMS] = sums

    rewrite(archive, before_sums)
    assert f"damaged: {name!r} does not belong into a backup" in refusal(archive, tmp_path / "new")
    assert not (tmp_path / "evil").exists()


@pytest.mark.parametrize("share", [0.02, 0.3, 0.9, 0.999])
def test_an_archive_that_was_cut_off(archive: Path, tmp_path: Path, share: float) -> None:
    content = archive.read_bytes()
    archive.write_bytes(content[: int(len(content) * share)])
    message = refusal(archive, tmp_path / "new")
    assert message in {
        f"{archive}: damaged: it ends too early; nothing was touched, use another backup",
        f"{archive}: this is no backup that Siteward made",
    }
    assert not (tmp_path / "new").exists()


@given(st.data())
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_flipped_bit_changes_what_is_restored(
    archive: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    content = bytearray(archive.read_bytes())
    # gzip's header has a time and a system, which nothing depends on.
    content[data.draw(st.integers(10, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    path = tmp_path_factory.mktemp("flipped") / "backup.tar.gz"
    path.write_bytes(content)
    try:
        verify(path, Silent())
    except BackupError:
        return
    assert gzip.decompress(content) == gzip.decompress(archive.read_bytes())  # a code that nothing used


@pytest.mark.parametrize("content", [b"", b"hello", gzip.compress(b"hello")], ids=["empty", "text", "compressed"])
def test_what_is_no_backup(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "some.tar.gz"
    path.write_bytes(content)
    assert refusal(path, tmp_path / "new") == f"{path}: this is no backup that Siteward made"


# ── a restore that ends halfway ──────────────────────────────────────────────────────────────────────────────────


def test_a_restore_that_ended_halfway_is_seen_and_done_again(
    config: Path, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = config.parent / "data"
    before = read_folder(data)

    def end(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(restoring, "put_in_place", end)
        assert run("restore", archive, "--config", config, "--replace").exit_code != 0
    started = run("run", "--config", config)
    assert started.exit_code == 2
    assert f"{config}/../data: a restore into it did not finish; run it again: siteward restore" in started.stderr
    assert f"{RESTORING} of a restore that did not finish" in refusal(archive, config)
    assert run("restore", archive, "--config", config, "--replace").exit_code == 0
    assert {name: text for name, text in read_folder(data).items() if not name.startswith(ASIDE)} == before


def test_a_restore_that_finds_the_disk_full_touches_nothing(
    config: Path, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = read_folder(config.parent)

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("collector.backup.archive.extract", fail)
    assert "No space left on device" in refusal(archive, config, "--replace")
    assert read_folder(config.parent) == before


# ── numbers ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_numbers_that_people_and_systems_may_know_are_not_given_again(tmp_path: Path) -> None:
    database = open_file(tmp_path)
    bench = Bench(database)
    bench.do("open")
    letter = {
        "site": "site", "ticket_id": 1, "channel": "cmms", "recipient": "x", "batch": "", "state": "waiting",
        "written_at": 0, "due_at": 0, "tries": 0, "error": "", "answer": "",
    }  # fmt: skip
    with database.write() as connection:
        connection.execute(insert(LETTERS), [letter | {"event": 1}, letter | {"event": 2}])
        leave_room(connection, "site")
        connection.execute(insert(LETTERS), [letter | {"event": 3}])
        assert connection.scalar(select(NUMBERS.c.last)) == 1_001
        rows = connection.execute(select(LETTERS.c.event, LETTERS.c.id, LETTERS.c.batch).order_by(LETTERS.c.id)).all()
    assert [tuple(row) for row in rows] == [(1, 1, ""), (2, 1_000_002, "site-2"), (3, 1_000_003, "")]
    bench.do("open", device="em-2")
    database.close()


# ── nothing is forgotten ─────────────────────────────────────────────────────────────────────────────────────────


def find_data_files() -> set[str]:
    """The names that the code puts behind `data_dir`: literals, and constants of its modules."""
    found = set()
    for path in sorted((ROOT / "collector").rglob("*.py")):
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div)):
                continue
            if not (isinstance(node.left, ast.Attribute) and node.left.attr == "data_dir"):
                continue
            right = node.right
            name = (
                right.value if isinstance(right, ast.Constant) else getattr(import_module(module), ast.unparse(right))
            )
            found.add(str(name))
    return found


def test_every_file_of_data_dir_is_in_a_backup(archive: Path) -> None:
    with tarfile.open(archive) as tar:
        saved = {part for name in tar.getnames() for part in Path(name).parts}
    files = find_data_files()
    assert {"journal.db", "store.db", "desk.db", "rules.snapshot", "shadow.db", "credential.keys", "reports"} <= files
    assert files - saved == set()
    assert not any(fnmatch(name, pattern) for name in files for pattern in PASSING)


def test_every_table_of_the_desk_tells_whose_its_rows_are() -> None:
    assert [table.name for table in NAMES.sorted_tables if "site" not in table.c] == []


def test_what_is_restored_belongs_to_whom_the_folder_belongs(archive: Path, tmp_path: Path) -> None:
    data, new = tmp_path / "new" / "data", tmp_path / "new" / "config"
    owner = (12345, 12346) if os.geteuid() == 0 else (os.getuid(), os.getgid())  # only root gives files away
    data.mkdir(parents=True)
    new.mkdir()
    os.chown(data, *owner)
    assert run("restore", archive, "--config", new).exit_code == 0
    assert {(path.stat().st_uid, path.stat().st_gid) for path in data.rglob("*")} == {owner}


def test_a_journal_of_version_1_comes_up_after_the_restore(config: Path, tmp_path: Path) -> None:
    path = config.parent / "data" / "journal.db"
    with closing(schema.connect(path)) as connection:
        connection.executescript(
            "DROP TABLE quarantine_entry; DROP TABLE quarantine_message; DROP TABLE quarantine_group;"
            "CREATE TABLE quarantine_group (id INTEGER PRIMARY KEY, stage TEXT NOT NULL, device TEXT NOT NULL,"
            " reason TEXT NOT NULL, hint TEXT NOT NULL, count INTEGER NOT NULL, first INTEGER NOT NULL,"
            " last INTEGER NOT NULL, UNIQUE (stage, device, reason));"
            "CREATE TABLE quarantine_message (id INTEGER PRIMARY KEY, group_id INTEGER NOT NULL REFERENCES"
            " quarantine_group (id) ON DELETE CASCADE, received INTEGER NOT NULL, topic TEXT NOT NULL,"
            " payload BLOB NOT NULL);"
            "CREATE INDEX quarantine_message_group ON quarantine_message (group_id, id);"
            "PRAGMA user_version = 1;"
        )
    assert run("backup", tmp_path / "old.tar.gz", "--config", config).exit_code == 0
    new = tmp_path / "new" / "config"
    assert run("restore", tmp_path / "old.tar.gz", "--config", new).exit_code == 0
    (new / "password").write_text(SECRET, encoding="utf-8")
    daemon = Daemon(load(new))
    daemon.start()
    daemon.stop()
    with closing(sqlite3.connect(tmp_path / "new" / "data" / "journal.db")) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (schema.VERSION,)


def test_a_desk_of_version_1_is_brought_up_by_the_restore(config: Path, tmp_path: Path) -> None:
    path = config.parent / "data" / "desk.db"
    path.unlink()
    engine = create_engine(file_url(path))
    former = Database(engine, str(path))
    migrate(former, "0001")
    with former.write() as connection:
        connection.execute(text("INSERT INTO ticket_number (site, year, last) VALUES ('site', 2026, 7)"))
    former.close()
    assert run("backup", tmp_path / "old.tar.gz", "--config", config).exit_code == 0
    assert run("restore", tmp_path / "old.tar.gz", "--config", tmp_path / "new" / "config").exit_code == 0
    database = open_database(file_url(tmp_path / "new" / "data" / "desk.db"))
    with database.read() as connection:
        assert connection.scalar(select(NUMBERS.c.last)) == 1_007
    database.close()

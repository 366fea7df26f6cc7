from pathlib import Path

import pytest

from collector.registerfile import find_columns, lock_folder, replace_files, write_rows
from collector.tables import DEVICES


def test_files_are_replaced_together(tmp_path: Path) -> None:
    old, new = tmp_path / "devices.csv", tmp_path / "replacements.csv"
    old.write_text("old")
    old.chmod(0o604)
    tmp_path.chmod(0o750)
    replace_files({old: "电表\n", new: "x\r\ny"})
    assert (old.read_bytes(), new.read_bytes()) == ("电表\n".encode(), b"x\r\ny")
    assert (old.stat().st_mode & 0o777, new.stat().st_mode & 0o777) == (0o604, 0o640)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["devices.csv", "replacements.csv"]


def test_where_one_cannot_be_written_none_is(tmp_path: Path) -> None:
    old = tmp_path / "devices.csv"
    old.write_text("old")
    with pytest.raises(FileNotFoundError):
        replace_files({old: "new", tmp_path / "gone" / "replacements.csv": "new"})
    assert old.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["devices.csv"]


def test_a_folder_is_free_again(tmp_path: Path) -> None:
    for _ in range(2):
        with lock_folder(tmp_path):
            assert tmp_path.exists()


def test_columns_stay_and_new_ones_follow_in_their_order() -> None:
    entries = [{"id": "a", "kind": "door", "tags": {"b": "1", "a": "2"}, "name": {"zh": "门"}, "area": "hall"}]
    columns = find_columns(DEVICES, entries, [("kind",), ("floor",), ("id",)])
    assert columns == [("kind",), ("floor",), ("id",), ("name", "zh"), ("area",), ("tags", "a"), ("tags", "b")]
    assert write_rows(columns, entries) == [
        ["kind", "floor", "id", "name_zh", "area", "tag.a", "tag.b"],
        ["door", "", "a", "门", "hall", "2", "1"],
    ]

"""Opening the desk's database."""

import threading
from pathlib import Path

from tickets.database import Database, file_url, open_database


def test_all_who_open_a_new_file_at_once_get_it(tmp_path: Path) -> None:
    for number in range(20):
        url, gate = file_url(tmp_path / f"{number}.db"), threading.Barrier(6)
        opened: list[Database] = []

        def open_together(url: str = url, gate: threading.Barrier = gate, opened: list[Database] = opened) -> None:
            gate.wait()
            opened.append(open_database(url))

        threads = [threading.Thread(target=open_together) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(opened) == len(threads)
        for database in opened:
            database.close()

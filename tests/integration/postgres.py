"""A real PostgreSQL for tests. It refuses to run as root, so root's tests start it as the user of its package."""

import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import psycopg

from tests.integration.servers import Server

USER = "siteward"
PASSWORD = "läuft & passt"  # noqa: S105 - of a server that lives for a test; odd on purpose
_RUNNER = "postgres"


class PostgreSQL(Server):
    """PostgreSQL, with passwords; what a power cut would lose does not matter here."""

    def __init__(self) -> None:
        """Its folder lies apart from the others: these are closed to the user that it runs as."""
        super().__init__(Path(tempfile.mkdtemp(prefix="siteward-postgres-")))
        self._as: list[str] = []
        if os.getuid() == 0:
            shutil.chown(self.folder, _RUNNER, _RUNNER)
            self._as = ["setpriv", f"--reuid={_RUNNER}", f"--regid={_RUNNER}", "--clear-groups"]

    def start(self) -> None:
        """Makes its files, where there are none, and starts it."""
        if not (self.folder / "data").exists():
            secret = self.folder / "password"
            secret.write_text(PASSWORD, encoding="utf-8")
            if self._as:
                shutil.chown(secret, _RUNNER)
            subprocess.run(
                [
                    *self._as,
                    _find_program("initdb"),
                    "--no-sync",
                    "--encoding=UTF8",
                    "--locale=C.UTF-8",
                    "--auth=scram-sha-256",
                    f"--username={USER}",
                    f"--pwfile={secret}",
                    f"--pgdata={self.folder / 'data'}",
                ],
                check=True,
                capture_output=True,
                cwd=self.folder,
            )
        super().start()

    def command(self) -> list[str]:
        """All of its settings are on the command line."""
        return [
            *self._as,
            _find_program("postgres"),
            "-D",
            str(self.folder / "data"),
            f"-cport={self.port}",
            "-clisten_addresses=127.0.0.1",
            "-cunix_socket_directories=",
            "-cfsync=off",
        ]

    def is_ready(self) -> bool:
        """It lets somebody in."""
        try:
            self.connect().close()
        except psycopg.OperationalError:
            return False
        return True

    def stop(self) -> None:
        """Ends it without waiting for those who are connected."""
        self._end(signal.SIGINT)

    def connect(self) -> psycopg.Connection[tuple[object, ...]]:
        """A connection of its own, for what a test prepares."""
        return psycopg.connect(
            host="127.0.0.1", port=self.port, user=USER, password=PASSWORD, dbname="postgres", autocommit=True
        )

    def make_database(self, name: str) -> str:
        """Makes an empty database and gives its address."""
        with self.connect() as connection:
            connection.execute(f'CREATE DATABASE "{name}"'.encode())
        return f"postgresql://{USER}@127.0.0.1:{self.port}/{name}"

    def __exit__(self, *details: object) -> None:
        """Its folder goes with it."""
        super().__exit__(*details)
        shutil.rmtree(self.folder)


def _find_program(name: str) -> str:
    """Debian keeps servers out of the path, each version in a folder of its own."""
    path = shutil.which(name) or next((str(p) for p in Path("/usr/lib/postgresql").glob(f"*/bin/{name}")), None)
    if path is None:
        raise FileNotFoundError(f"{name} is not installed, and these tests need it: run scripts/install-servers")
    return path

"""What doctor learns about the desk: its database, its tables, its room, and alerts that are kept quiet for long."""

import shutil
import time
from collections.abc import Generator, Iterator
from pathlib import Path

from sqlalchemy import Connection, text

from collector.configuration import Configuration
from collector.desklook import find_version, look_at_desk
from collector.deskopening import DESK_FILE
from collector.store import Finding
from devices.durations import NANOSECONDS, format_duration
from tickets.database import HEAD, Database
from tickets.errors import TicketsError
from tickets.mutebook import MuteEntry, list_mutes
from tickets.tables import NAMES

_LEAST_FREE = 500_000_000
_OLDEST_POSTGRESQL = 10
_CLOCK_TOLERANCE = NANOSECONDS["m"]
_LONG = 14 * NANOSECONDS["d"]
"""Work that takes longer is planned with a date; what is shelved longer is forgotten."""
_PRIVILEGES = ("SELECT", "INSERT", "UPDATE", "DELETE")


def check_desk(configuration: Configuration) -> Generator[Finding, None, bool]:
    """Findings about the desk; nothing is changed.

    Returns:
        Whether its tables are those of this version, so that others may look into them.

    Raises:
        CollectorError: the password cannot be read.
    """
    settings = configuration.settings
    database = look_at_desk(configuration)
    if database is None:
        message = f"{settings.data_dir / DESK_FILE} is made at the first start"
        yield Finding("desk database", good=True, message=message)
        return False
    try:
        with database.read() as connection:
            if settings.desk.database is None:
                yield from _check_file(connection, settings.data_dir / DESK_FILE)
            else:
                yield from _check_server(connection, database)
            version = find_version(connection)
            yield judge_version(version)
            if version != HEAD:
                return False
            if settings.desk.database is not None:
                yield check_rights(connection)
            now = time.time_ns()
            yield judge_mutes(list_mutes(connection, settings.site.id, now), now)
    except TicketsError as error:
        yield Finding("desk database", good=False, message=str(error))
        return False
    finally:
        database.close()
    return True


def judge_version(version: str | None) -> Finding:
    """Whether this Siteward knows the tables."""
    if version is None:
        return Finding("desk tables", good=True, message="none yet; they are made at the next start")
    if version == HEAD:
        return Finding("desk tables", good=True, message=f"of version {version}, as they should be")
    if version < HEAD:
        message = f"of version {version}; the next start brings them to {HEAD}: make a backup before it"
        return Finding("desk tables", good=True, message=message)
    message = (
        f"of version {version}, which a newer Siteward made; this one knows {HEAD}: update it, or restore a backup"
    )
    return Finding("desk tables", good=False, message=message)


def judge_mutes(entries: list[MuteEntry], now: int) -> Finding:
    """Whether somebody keeps alerts quiet for suspiciously long.

    Args:
        entries: those that are not over.
        now: UTC ns.
    """
    long = [entry for entry in entries if entry.mute.end - max(entry.mute.begin, now) > _LONG]
    if not long:
        words = f"{len(entries)}, none for longer than {format_duration(_LONG)} from now" if entries else "none"
        return Finding("mutes", good=True, message=words)
    told = "; ".join(_tell_mute(entry, now) for entry in long)
    return Finding("mutes", good=False, message=f"{told}. Is that meant? End one with: siteward mutes end ID")


def _tell_mute(entry: MuteEntry, now: int) -> str:
    left = format_duration(entry.mute.end - now)
    subjects = ", ".join(map(str, entry.mute.subjects))
    return f"{entry.mute} keeps {subjects} quiet for another {left} ({entry.who}: {entry.reason})"


# ── a file ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _check_file(connection: Connection, path: Path) -> Iterator[Finding]:
    connection.exec_driver_sql("BEGIN IMMEDIATE")  # takes the right to write, and gives it back unused
    connection.exec_driver_sql("ROLLBACK")
    yield Finding("desk database", good=True, message=f"{path} can be read and written")
    wal = path.with_name(f"{path.name}-wal")
    used = path.stat().st_size + (wal.stat().st_size if wal.exists() else 0)
    yield judge_room(used, shutil.disk_usage(path.parent).free)


def judge_room(used: int, free: int) -> Finding:
    """Whether the file may grow; both in bytes."""
    message = f"{used / 1e6:,.1f} MB used, {free / 1e9:,.1f} GB free"
    if free < max(_LEAST_FREE, used // 2):
        return Finding("desk room", good=False, message=f"{message}; free some space: a full disk takes no tickets")
    return Finding("desk room", good=True, message=message)


# ── PostgreSQL ───────────────────────────────────────────────────────────────────────────────────────────────────

_ASK_SERVER = text("""
    SELECT current_setting('server_version_num')::int AS number, current_setting('server_version') AS version,
           current_setting('server_encoding') AS encoding, current_setting('transaction_read_only') = 'on' AS closed,
           (extract(epoch FROM clock_timestamp()) * 1e6)::bigint AS clock_us,
           pg_database_size(current_database()) AS size
""")

_ASK_RIGHTS = text("""
    SELECT name, privilege
    FROM unnest(CAST(:tables AS text[])) AS name, unnest(CAST(:privileges AS text[])) AS privilege
    WHERE NOT has_table_privilege(quote_ident(name), privilege) ORDER BY name
""")

_ASK_SCHEMA = text("""
    SELECT current_schema() AS name, coalesce(has_schema_privilege(current_schema(), 'CREATE'), FALSE) AS may_create,
           current_user AS who
""")


def _check_server(connection: Connection, database: Database) -> Iterator[Finding]:
    told = connection.execute(_ASK_SERVER).one()
    now = time.time_ns()
    number = told.number // 10_000
    message = f"{database.where}: PostgreSQL {told.version}, {told.size / 1e6:,.1f} MB"
    if number < _OLDEST_POSTGRESQL:
        message += f"; expected {_OLDEST_POSTGRESQL} or newer: update the server"
    yield Finding("desk database", good=number >= _OLDEST_POSTGRESQL, message=message)
    if told.encoding != "UTF8":
        message = f"{told.encoding}: expected UTF8, which holds Chinese names; make the database with ENCODING 'UTF8'"
        yield Finding("desk encoding", good=False, message=message)
    if told.closed:
        message = "takes no changes: it is a standby, or default_transaction_read_only is on; use the primary"
        yield Finding("desk writing", good=False, message=message)
    yield judge_server_clock(now - told.clock_us * 1000)


def judge_server_clock(behind: int) -> Finding:
    """Whether the database's machine has our time; how far it is behind, ns."""
    if abs(behind) <= _CLOCK_TOLERANCE:
        return Finding("desk clock", good=True, message="the server's clock agrees with ours")
    words = f"{format_duration(abs(behind))} {'behind' if behind > 0 else 'ahead'}"
    message = f"the server's clock is {words}; one of both is wrong: let NTP set them"
    return Finding("desk clock", good=False, message=message)


def check_rights(connection: Connection) -> Finding:
    """Whether our user may do in PostgreSQL all that the desk does."""
    schema = connection.execute(_ASK_SCHEMA).one()
    wanted = {"tables": sorted(NAMES.tables), "privileges": list(_PRIVILEGES)}
    missing = [f"{row.privilege} on {row.name}" for row in connection.execute(_ASK_RIGHTS, wanted)]
    if not schema.may_create:
        missing.append(f"CREATE on schema {schema.name or 'public'}, which updates need")
    if missing:
        message = f"{schema.who} may not: {', '.join(missing)}; make this user the owner, or grant it these"
        return Finding("desk rights", good=False, message=message)
    return Finding("desk rights", good=True, message=f"{schema.who} may read, write and change the tables")

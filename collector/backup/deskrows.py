"""A site's part of the desk's tables, from one database into another: SQLite or PostgreSQL, in either direction."""

from sqlalchemy import Connection, Integer, String, Table, cast, delete, func, insert, select, text, update

from tickets.tables import LETTERS, NAMES, NUMBERS

_PIECE = 500
"""Rows that are held at once."""

_NUMBERS_LEFT = 1_000
"""Ticket numbers that are not given again after a restore: people may have been told of them since the backup."""

_LETTERS_LEFT = 1_000_000
"""Likewise, ids of messages: outside systems drop a message whose id they have seen."""


def count_rows(connection: Connection, site: str) -> int:
    """How many rows a site has."""
    counts = (connection.scalar(select(func.count()).where(table.c.site == site)) for table in NAMES.sorted_tables)
    return sum(int(count or 0) for count in counts)


def delete_rows(connection: Connection, site: str) -> None:
    """Deletes what a site has."""
    for table in reversed(NAMES.sorted_tables):
        connection.execute(delete(table).where(table.c.site == site))


def copy_rows(source: Connection, target: Connection, site: str) -> int:
    """Copies what a site has into tables where it has nothing; how many rows.

    Rows keep their ids, unless rows of other sites have taken these: then all of a table move up together.
    """
    if target.dialect.name == "postgresql":  # other sites wait with what they write
        names = ", ".join(f'"{table.name}"' for table in NAMES.sorted_tables)
        target.execute(text(f"LOCK TABLE {names} IN SHARE ROW EXCLUSIVE MODE"))
    shifts = {
        table.name: _find_shift(source, target, table, site) for table in NAMES.sorted_tables if _is_numbered(table)
    }
    copied = 0
    for table in NAMES.sorted_tables:
        moved = {column.name: shifts[owner] for column in table.c if (owner := _owner(table, column.name)) in shifts}
        rows = source.execute(select(table).where(table.c.site == site).execution_options(yield_per=_PIECE))
        for piece in rows.mappings().partitions():
            target.execute(
                insert(table),
                [
                    {
                        name: value + moved[name] if value is not None and moved.get(name) else value
                        for name, value in row.items()
                    }
                    for row in piece
                ],
            )
            copied += len(piece)
    if target.dialect.name == "postgresql":
        for name in shifts:
            _advance_sequence(target, NAMES.tables[name])
    return copied


def leave_room(connection: Connection, site: str) -> None:
    """Skips, in a SQLite file, the numbers that may have been given since the backup to what is lost now."""
    connection.execute(update(NUMBERS).where(NUMBERS.c.site == site).values(last=NUMBERS.c.last + _NUMBERS_LEFT))
    newest = connection.scalar(select(func.max(LETTERS.c.id)))
    if newest is not None:  # ids go on from the largest; this message keeps the name that it is sent by
        name = LETTERS.c.site + "-" + cast(LETTERS.c.id, String)
        batch = func.coalesce(func.nullif(LETTERS.c.batch, ""), name)
        connection.execute(update(LETTERS).where(LETTERS.c.id == newest).values(id=newest + _LETTERS_LEFT, batch=batch))


def _is_numbered(table: Table) -> bool:
    return "id" in table.c and isinstance(table.c.id.type, Integer) and table.c.id.primary_key


def _owner(table: Table, column: str) -> str:
    """The table whose ids a column holds, "" where it holds none."""
    keys = table.c[column].foreign_keys
    if keys:
        key = next(iter(keys)).column
        return key.table.name if key.name == "id" else ""
    return table.name if column == "id" else ""


def _find_shift(source: Connection, target: Connection, table: Table, site: str) -> int:
    lowest, highest = source.execute(
        select(func.min(table.c.id), func.max(table.c.id)).where(table.c.site == site)
    ).one()
    if lowest is None:
        return 0
    taken = target.scalar(select(func.count()).where(table.c.id.between(lowest, highest)))
    return int(target.scalar(select(func.max(table.c.id))) or 0) + 1 - int(lowest) if taken else 0


def _advance_sequence(connection: Connection, table: Table) -> None:
    """PostgreSQL counts on from its own sequence, and not from the largest id."""
    largest = select(func.coalesce(func.max(table.c.id), 0)).scalar_subquery()
    sequence = func.pg_get_serial_sequence(table.name, "id")
    connection.execute(select(func.setval(sequence, func.greatest(largest, 1))))

"""What can go wrong at the desk."""

from collections.abc import Collection

from devices.values import suggest


class TicketsError(Exception):
    """Base of this package's errors; the message says where, what, and what to do."""


class NotAllowed(TicketsError):  # noqa: N818 - names the state of a request
    """Somebody asks for what cannot be done with a ticket as it stands."""


class Overtaken(TicketsError):  # noqa: N818 - names the state of a request
    """Somebody else was faster."""


class UnknownTicket(TicketsError):  # noqa: N818 - names what was asked for
    """There is no ticket of this number."""


class DatabaseError(TicketsError):
    """The desk's database cannot be used."""


def check_known(name: str, known: Collection[str], what: str) -> None:
    """Looks whether something exists.

    Raises:
        NotAllowed: it does not; says what may have been meant.
    """
    if name not in known:
        hint = suggest(name, known)
        raise NotAllowed(f"there is no {what} {name!r}" + (f"; {hint}" if hint else ""))

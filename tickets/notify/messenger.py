"""Messengers: mail, WeCom, DingTalk, Feishu, Slack, Teams and the rest of what apprise speaks to.

An address of apprise holds passwords. It is read when it is used, and neither it nor a part of it is logged.
"""

import logging
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, unquote

from tickets.notify.errors import NotDelivered
from tickets.titles import Language

PLACEHOLDER = "{address}"
"""In a personal channel's URL: where the person's address goes."""

_SHORTEST_SECRET = 4
_LONGEST_REASON = 300


class Message(NamedTuple):
    """What people read: a line, and a text of several."""

    subject: str
    body: str


class Messenger:
    """One channel to people.

    Attributes:
        name: of siteward.yaml.
        room: whether many read it together; else each person has an address.
        teams: of a room: whose tickets are told there; without any, all.
        language: of a room; None: the site's.
    """

    def __init__(
        self,
        name: str,
        read_url: Callable[[], str],
        *,
        room: bool = False,
        teams: frozenset[str] = frozenset(),
        language: Language | None = None,
    ) -> None:
        """Contacts nobody yet.

        Args:
            name: see the class.
            read_url: gives apprise's URL; raises an error with a message for people where it cannot.
            room: see the class.
            teams: likewise.
            language: likewise.
        """
        self.name, self.room, self.teams, self.language = name, room, teams, language
        self._read_url = read_url

    def check(self) -> None:
        """Looks whether its URL can be used; contacts nobody.

        Raises:
            NotDelivered: it cannot.
        """
        self._open("somebody")

    def takes_files(self, address: str = "") -> bool:
        """Whether files can be sent with a message.

        Raises:
            NotDelivered: its URL cannot be used.
        """
        _, apprise, _ = self._open(address)
        return bool(apprise[0].attachment_support)

    def send(self, message: Message, address: str = "", files: Sequence[Path] = ()) -> None:
        """Sends a message and waits until it is taken.

        Args:
            message: what to say.
            address: of the person; "" for a room.
            files: sent with it, where `takes_files`.

        Raises:
            NotDelivered: it was not, or nobody knows.
        """
        url, apprise, body_format = self._open(address)
        with _listen() as said:
            try:
                taken = apprise.notify(
                    title=message.subject,
                    body=message.body,
                    body_format=body_format,
                    attach=[str(file) for file in files] or None,
                )
            except Exception as error:  # noqa: BLE001 - whatever a plug-in raises
                # What it says may hold parts of the URL, and so may what it came from.
                raise NotDelivered(f"{self.name}: apprise failed: {type(error).__name__}") from None
            if not taken:
                raise NotDelivered(f"{self.name}: {redact(said.getvalue(), url) or 'it was not taken'}")

    def _open(self, address: str) -> tuple[str, Any, Any]:
        """The URL for an address, apprise's sender, and the format of plain text.

        Raises:
            NotDelivered: the URL cannot be used.
        """
        # It takes half a second and 20 MB to load: only who uses it pays.
        from apprise import Apprise, AppriseAsset, NotifyFormat  # noqa: PLC0415 - see above

        try:
            url = self._read_url()
        except Exception as error:
            raise NotDelivered(f"{self.name}: {error}", whole=True) from error
        if (PLACEHOLDER in url) == self.room:
            expected = f"no {PLACEHOLDER}" if self.room else PLACEHOLDER
            raise NotDelivered(f"{self.name}: expected {expected} in its URL; mend the URL or its kind", whole=True)
        url = url.replace(PLACEHOLDER, quote(address, safe=""))
        apprise = Apprise(asset=AppriseAsset(app_id="Siteward", app_desc="Siteward", http_redirects=False))
        with _listen():
            if not apprise.add(url):
                raise NotDelivered(f"{self.name}: its URL is none that apprise knows; mend it", whole=True)
        return url, apprise, NotifyFormat.TEXT


@contextmanager
def _listen() -> Iterator[StringIO]:
    """What apprise logs, which may hold parts of the URL, and goes nowhere else."""
    logger, said = logging.getLogger("apprise"), StringIO()
    handler = logging.StreamHandler(said)
    handler.setLevel(logging.WARNING)
    logger.propagate = False
    logger.addHandler(handler)
    try:
        yield said
    finally:
        logger.removeHandler(handler)


def redact(text: str, url: str) -> str:
    """What a library said on one line, shortened, without anything that stands in a URL but its host.

    Args:
        text: may repeat parts of the URL.
        url: whose user, password, path and parameters are secret.
    """
    rest = url.partition("://")[2]
    host = rest.partition("/")[0].rpartition("@")[2]
    parts = set(re.split(r"[/:@?&=#+]", rest))
    parts |= {unquote(part) for part in parts}
    for part in sorted(parts - {*host.split(":"), PLACEHOLDER}, key=len, reverse=True):
        if len(part) >= _SHORTEST_SECRET:
            text = text.replace(part, "…")
    return " ".join(text.split())[:_LONGEST_REASON]

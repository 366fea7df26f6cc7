"""A desk with people, and a courier that a test steps by hand."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from devices.durations import NANOSECONDS
from tests.deskbench import Bench, open_file
from tickets.database import Database
from tickets.notify.courier import Courier, Outfit
from tickets.notify.messenger import Messenger
from tickets.notify.pacing import Pace
from tickets.tables import LETTERS
from tickets.titles import Language

if TYPE_CHECKING:
    from tickets.notify.sorting import Channel

PLAN = {
    "people": {
        "li": {"name": {"en": "Li Na", "zh": "李娜"}, "contacts": {"mail": "li@campus.test"}},
        "wang": {"name": {"en": "Wang Wei", "zh": "王伟"}, "contacts": {"mail": "wang@campus.test"}},
        "zhao": {"name": {"en": "Zhao Min", "zh": "赵敏"}},
    },
    "teams": {"electricians": {"members": ["li"], "lead": "wang"}},
    "categories": {
        "other": {"team": "electricians", "impact": "high"},
        "plumbing": {"team": "electricians", "impact": "high"},
    },
    "duty": [{"team": "electricians", "people": "li"}],
}

PACE = Pace(20 * NANOSECONDS["s"], 3, 3 * NANOSECONDS["d"])

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105 - of the specification's example


class CourierBench(Bench):
    """A bench whose courier has some channels."""

    def __init__(self, database: Path | Database, *, pace: Pace = PACE, language: Language = "en") -> None:
        super().__init__(open_file(database) if isinstance(database, Path) else database, PLAN)
        self.channels: dict[str, Channel] = {}
        self.outfit = Outfit(self.channels, pace, language, "https://desk.test/tickets/{number}")
        self.courier = Courier(lambda: self.desk, self.outfit)

    def add_mail(self, url: str) -> None:
        self.channels["mail"] = Messenger("mail", lambda: url)

    def tell(self, after: str = "20s") -> None:
        """Lets time pass, and the courier look."""
        self.clock.pass_(after)
        self.courier.step()

    def restart(self) -> None:
        """Another courier goes on, which knows only what stands in the database."""
        self.courier = Courier(lambda: self.desk, self.outfit)

    def letters(self) -> list[Mapping[str, object]]:
        with self.database.read() as connection:
            return [row._asdict() for row in connection.execute(LETTERS.select().order_by(LETTERS.c.id))]

    def states(self) -> list[object]:
        return [letter["state"] for letter in self.letters()]


def read_secret() -> str:
    """The key of the tests' signatures."""
    return SECRET


def refuse(reason: str) -> Callable[[], str]:
    """A secret that cannot be read."""

    def read() -> str:
        raise OSError(reason)

    return read

"""Orders: what the desk must do about an alert, after inhibition, maintenance, shelving and grouping."""

from typing import Literal, TypeAlias

from msgspec import Struct

from rules.alerts import Transition

OrderKind: TypeAlias = Literal["open", "join", "hold", "amend", "clear"]


class Order(Struct, array_like=True, frozen=True):
    """One thing to do. The same journal gives the same orders, and doing one again changes nothing.

    Attributes:
        kind: open: a ticket of its own; join: it becomes a member of the ticket that `lead` opened; hold: remember the
            alert and open nothing while `reason` lasts, after which an `open` or a `join` follows if it is still
            there; amend: the data now show more; clear: it is over.
        transition: what happened to the alert. Its rule, subject and `opened` are the alert's key.
        lead: of a join: key of the alert whose ticket it joins, as (rule, subject, opened).
        reason: of a hold: `inhibited by device gw-b`, `maintenance 12`, `shelved 7`; of a join: what they have in
            common, such as `device gw-b`.
        cause: of an inhibited alert, the key of the alert above it, whose ticket lists it as affected.
    """

    kind: OrderKind
    transition: Transition
    lead: "AlertKey | None" = None
    reason: str = ""
    cause: "AlertKey | None" = None


AlertKey: TypeAlias = tuple[str, tuple[str, str], int]
"""Rule, subject as (kind, id), and when it was first told."""

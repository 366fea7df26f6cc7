"""What can go wrong on the way out."""

from tickets.errors import TicketsError


class NotDelivered(TicketsError):  # noqa: N818 - names the state of a message
    """A message was not taken, or nobody knows whether it was: try again.

    Attributes:
        whole: nothing gets through on this channel, so that others need not be tried now.
        retry_after_s: how long the other side asks to be left alone, or None.
    """

    def __init__(self, message: str, *, whole: bool = False, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.whole, self.retry_after_s = whole, retry_after_s

"""The errors of this package."""


class CollectorError(Exception):
    """Something in the daemon's surroundings is wrong; the message says where, what, and what to do."""


class StoreError(CollectorError):
    """The database did not take what it was given."""


class StoreUnavailable(StoreError):  # noqa: N818 - names the state of the database
    """The database cannot be reached or is overloaded: keep everything and try again.

    Attributes:
        retry_after_s: how long the database asks to be left alone, or None.
    """

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class StoreUnreachable(StoreUnavailable):
    """There is no connection to the database: nothing was sent."""


class StoreRefused(StoreError):  # noqa: N818 - names the state of the database
    """The database does not let us in, or a bucket or database is missing: keep everything, tell a person."""


class BatchTooLarge(StoreError):  # noqa: N818 - names the state of the batch
    """The database takes smaller batches only: split it."""


class BatchRejected(StoreError):  # noqa: N818 - names the state of the batch
    """Some readings of the batch are bad; the others may or may not have been stored: bisect.

    Attributes:
        count: how many are bad, where the database says it, or None.
    """

    def __init__(self, message: str, count: int | None = None) -> None:
        super().__init__(message)
        self.count = count

"""What is made to stay: the garbage collector does not interrupt the making, and need not walk it ever after."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def keeping() -> Iterator[None]:
    """Keeps what is made in the block, which is to leave next to no garbage: modules, a configuration."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def keep_all(*, again: bool = False) -> None:
    """Keeps all that there is, without garbage.

    Args:
        again: something that was kept before may be garbage by now: looks at all of it, which takes longer.
    """
    if again:
        gc.unfreeze()
    gc.collect()
    gc.freeze()

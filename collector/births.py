"""Births of Sparkplug nodes in the journal: later processes and the command line understand what came after them."""

import sqlite3

import structlog

from collector.journal import Journal
from devices.decoder import Decoder

log = structlog.get_logger()

FACT = "births of Sparkplug nodes"
"""The name under which the journal has them."""


def recall(decoder: Decoder, journal: Journal) -> None:
    """Gives a new decoder the births that are known."""
    if decoder.host is not None:
        decoder.host.load(journal.facts().get(FACT, ""))


def keep(decoder: Decoder, journal: Journal) -> None:
    """Remembers births that came or went; where the disk takes nothing, nodes will be asked for theirs instead."""
    if decoder.host is not None and decoder.host.changed:
        try:
            journal.remember(FACT, decoder.host.dump())
        except sqlite3.OperationalError as error:
            log.warning("births of Sparkplug nodes could not be noted", error=str(error))

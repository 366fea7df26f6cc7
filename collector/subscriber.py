"""The ingest thread: takes what the session holds, lets the pipeline commit it, then acknowledges it.

Nothing else touches the session. Who wants something of it (new settings, stop) leaves a note and wakes the thread.
"""

import json
import os
import select
import sqlite3
import threading
import time
from contextlib import suppress
from typing import Any

import structlog

from collector import births
from collector.journal import Journal
from collector.pipeline import Pipeline
from collector.session import Session
from collector.settings import Mqtt
from collector.states import State
from devices.decoder import Decoder

log = structlog.get_logger()

_IDLE_S = 0.5
_MEASURE_S = 1.0


class Subscriber:
    """Runs the session in a thread of its own.

    Attributes:
        session: for looking at.
        held: the journal is full, and nothing is read until there is room.
        beat: when the loop last went round, `time.monotonic`.
        failure: what ended the thread, if it was not asked to stop.
    """

    def __init__(
        self, settings: Mqtt, site: str, pipeline: Pipeline, journal: Journal, stopping: threading.Event
    ) -> None:
        """Prepares; `start` connects.

        Args:
            settings: the broker.
            site: id.
            pipeline: where messages go; its decoder says what to subscribe to.
            journal: its quota decides whether anything is read.
            stopping: set by the daemon; `wake` makes the thread look at it.
        """
        self._pipeline = pipeline
        self._journal = journal
        self._stopping = stopping
        self._note: tuple[Mqtt, Decoder] | None = None
        self._woken, self._waker = os.pipe()
        os.set_blocking(self._waker, False)
        self._probed: tuple[int, int, int] | None = None
        self._measured_at = 0.0
        self._forgotten = 0
        births.recall(pipeline.decoder, journal)
        self.session = Session(
            settings,
            site,
            pipeline.decoder.filters,
            self._recall,
            self._remember,
            sparkplug=pipeline.decoder.host is not None,
        )
        self.held = False
        self.beat = time.monotonic()
        self.failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="ingest", daemon=True)

    def start(self) -> None:
        """Starts the thread."""
        self._thread.start()

    def change(self, settings: Mqtt, decoder: Decoder) -> None:
        """Takes over changed settings, and another decoder with what the pipeline's present one has learnt."""
        self._note = settings, decoder
        self.wake()

    def wake(self) -> None:
        """Makes the thread look at what is new."""
        with suppress(BlockingIOError):  # then it is being woken already
            os.write(self._waker, b"\0")

    def join(self, timeout_s: float) -> bool:
        """Waits for the thread's end after `stopping` was set; False where it did not come in time."""
        self.wake()
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                self._turn()
            self.session.close()
        except BaseException as error:
            log.exception("ingestion ended")
            self.failure = error

    def _turn(self) -> None:
        """One round: read, commit, acknowledge."""
        self.beat = time.monotonic()
        note, self._note = self._note, None
        if note is not None:
            self._take_over(*note)
        if self._hold():
            self.session.stay()
            self._sleep([], [])
            return
        self.session.step()
        self._speak()
        readable, writable = self._sleep(*self.session.sockets())
        if writable:
            self.session.flush()
        if not readable:
            return
        messages = self.session.receive()
        if not messages or self._pipeline.ingest(messages):
            births.keep(self._pipeline.decoder, self._journal)
            self.session.acknowledge()
        self._settle()

    def _take_over(self, settings: Mqtt, decoder: Decoder) -> None:
        decoder.inherit(self._pipeline.decoder)
        self._pipeline.decoder = decoder
        self.session.change(settings, decoder.filters, sparkplug=decoder.host is not None)

    def _sleep(self, readable: list[Any], writable: list[Any]) -> tuple[list[Any], list[Any]]:
        ready, writable, _ = select.select([*readable, self._woken], writable, [], _IDLE_S)
        if self._woken in ready:
            os.read(self._woken, 4096)
            ready.remove(self._woken)
        return ready, writable

    def _settle(self) -> None:
        """Learns, by a ping behind the acknowledgements, what the broker will not send again."""
        session, pipeline = self.session, self._pipeline
        if self._probed is not None:
            connection, pongs, generation = self._probed
            if connection != session.connects:
                self._probed = None  # its answer will never come
            elif session.pongs > pongs:
                pipeline.settle(generation)
                self._probed = None
        if pipeline.unsettled and self._probed is None:
            pongs = session.pongs
            if session.probe():
                self._probed = (session.connects, pongs, pipeline.generation)

    def _speak(self) -> None:
        """Asks nodes for births; for all of them, where the broker may have lost some that came while we were away."""
        host, session = self._pipeline.decoder.host, self.session
        if host is None:
            return
        if session.forgotten > self._forgotten:
            self._forgotten = session.forgotten
            host.forget()
        if session.state in {State.QUIET, State.FLOWING}:
            commands = host.take_commands(time.time_ns())
            for topic, payload in commands:
                session.publish(topic, payload)
            if commands:
                log.info("asked Sparkplug nodes for their births", topics=[topic for topic, _ in commands])

    def _recall(self, settings: Mqtt) -> frozenset[str]:
        return frozenset(json.loads(self._journal.facts().get(_name_fact(settings), "[]")))

    def _remember(self, settings: Mqtt, filters: frozenset[str]) -> None:
        """Keeps what is subscribed for the next process; a disk that takes nothing is no reason to take nothing."""
        try:
            self._journal.remember(_name_fact(settings), json.dumps(sorted(filters)))
        except sqlite3.OperationalError as error:
            log.warning("what is subscribed at the broker could not be noted", error=str(error))

    def _hold(self) -> bool:
        """Whether the journal is full. Then the broker keeps what follows; nothing is dropped here."""
        now = time.monotonic()
        if now - self._measured_at >= _MEASURE_S:
            self._measured_at = now
            self._journal.measure()
            full = self._journal.full
            if full and not self.held:
                log.error(
                    "the journal is full: nothing is read until the database takes readings again",
                    quota_bytes=self._journal.quota_bytes,
                )
            elif self.held and not full:
                log.warning("the journal has room again")
            self.held = full
        return self.held


def _name_fact(settings: Mqtt) -> str:
    """Each broker and client id has a session of its own."""
    return f"subscribed at {settings.host}:{settings.port} as {settings.client_id}"

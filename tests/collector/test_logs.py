"""Logs: lines of JSON for a service, words for people on a terminal, and never a secret."""

import json
import os
import subprocess
import sys

SCRIPT = """
import logging
import structlog
from collector import logs
logs.configure(verbose={verbose})
log = structlog.get_logger()
log.debug("a detail")
log.info("started", device="电表-1")
logging.getLogger("library").warning("from a %s", "library")
def fail(password):
    raise ValueError("broken")
try:
    fail("-".join(["not", "to", "be", "seen"]))
except ValueError:
    log.exception("it failed")
"""


def run(*, verbose: bool) -> list[dict[str, str]]:
    command = [sys.executable, "-c", SCRIPT.format(verbose=verbose)]
    done = subprocess.run(command, capture_output=True, check=True)
    assert done.stdout == b""
    return [json.loads(line) for line in done.stderr.decode().splitlines()]


def test_a_service_logs_lines_of_json() -> None:
    info, library, failure = run(verbose=False)
    assert (info["event"], info["level"], info["device"]) == ("started", "info", "电表-1")
    assert (library["event"], library["level"]) == ("from a library", "warning")
    assert failure["event"] == "it failed"
    assert failure["exception"].endswith("ValueError: broken")
    assert all(entry["timestamp"].endswith("Z") for entry in (info, library, failure))


def test_details_are_logged_when_asked_for() -> None:
    assert [entry["event"] for entry in run(verbose=True)] == ["a detail", "started", "from a library", "it failed"]


def test_a_terminal_gets_words_and_no_values_of_variables() -> None:
    master, terminal = os.openpty()
    with subprocess.Popen([sys.executable, "-c", SCRIPT.format(verbose=False)], stderr=terminal) as child:
        os.close(terminal)
        text = b""
        while b"ValueError: broken" not in text:
            text += os.read(master, 1000)
        assert child.wait(20) == 0
    os.close(master)
    assert b"started" in text
    assert b'{"' not in text
    assert b"not-to-be-seen" not in text

"""A page of the docs, followed: its commands run in order in a clean folder, and what it shows must be what is seen.

A page is Markdown with fenced blocks. `yaml` that begins with `# FILE` goes into that file: keys take the place of
others, lists grow. `sh` is run. `text` is what is to be seen of the block before it: these lines one after the other,
where `…` stands for what varies, and a line of `…` alone for any lines. A comment before a block says how it is run:

    <!-- not run by the tests: WHY -->   is left out
    <!-- in another terminal -->         goes on in the background; what it shows is waited for. `, then Ctrl-C` ends it
    <!-- the other terminal shows -->    before a `text`: it is waited for in the one that was opened last
    <!-- look again -->                  is repeated until it shows that
    <!-- exits with 1 -->                ends with findings
"""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import yaml

from tests.integration.servers import Mosquitto, find_free_port, wait_until

ROOT = Path(__file__).parents[1]
_INTERRUPTED = "in another terminal, then Ctrl-C"
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_NOTE = re.compile(r"<!-- (.*) -->\n+\Z")
_PATIENCE_S = 120.0


@dataclass(frozen=True)
class Block:
    """One block of commands.

    Attributes:
        place: where it stands: page and line.
        script: what is run.
        note: the comment before it.
        shown: what the page says is to be seen; empty where it says nothing.
    """

    place: str
    script: str
    note: str
    shown: str

    @property
    def is_run(self) -> bool:
        """Whether the tests run it."""
        return not self.note.startswith("not run by the tests: ")


def read_blocks(page: Path) -> list[Block]:
    """The blocks of commands of a page, each with what it shows."""
    text = page.read_text(encoding="utf-8")
    fences = list(_FENCE.finditer(text))
    blocks = []
    for fence, following in zip(fences, [*fences[1:], None], strict=True):
        found = _NOTE.search(text, 0, fence.start())
        note = found[1] if found else ""
        place = f"{page.relative_to(ROOT)}:{text.count(chr(10), 0, fence.start()) + 2}"
        if fence[1] == "sh":
            shown = following[2] if following and following[1] == "text" else ""
            blocks.append(Block(place, fence[2], note, shown))
        elif fence[1] == "yaml" and fence[2].startswith("# "):
            blocks.append(Block(place, fence[2], "to be written", ""))
        elif note == "the other terminal shows":
            blocks.append(Block(place, "", note, fence[2]))
    return blocks


def agrees(shown: str, said: str) -> bool:
    """Whether all that a page shows was said, in this order; how wide columns are does not matter."""
    wanted = ""
    for line in _squeeze(shown):
        exact = ".*".join(re.escape(part) for part in line.split("…"))
        wanted += r"(?:.*\n)*?" if line == "…" else rf"{exact}\n"
    return re.search(f"^{wanted}", "".join(f"{line}\n" for line in _squeeze(said)), re.MULTILINE) is not None


def add_to_file(folder: Path, text: str) -> None:
    """Does what somebody does who adds lines to a YAML file; the first of them is a comment with the file's name."""
    path = folder / text.split("\n", 1)[0].removeprefix("# ")
    path.parent.mkdir(exist_ok=True)
    there = yaml.safe_load(path.read_text(encoding="utf-8")) if path.exists() else {}
    content = yaml.safe_dump(_merge(there, yaml.safe_load(text)), allow_unicode=True, sort_keys=False)
    path.write_text(content, encoding="utf-8")


def _merge(there: Any, new: Any) -> Any:  # noqa: ANN401 - YAML
    if isinstance(there, dict) and isinstance(new, dict):
        return there | {key: _merge(there.get(key), value) for key, value in new.items()}
    return [*there, *new] if isinstance(there, list) and isinstance(new, list) else new


def _squeeze(text: str) -> list[str]:
    return [" ".join(line.split()) for line in text.splitlines() if line.strip()]


class Walker:
    """Somebody who follows a page, with a broker of their own.

    A page speaks of the usual ports; here others are free, so they are exchanged in commands and in siteward.yaml, and
    back again in what is said.

    Attributes:
        folder: where they stand.
    """

    def __init__(self, folder: Path, broker_port: int) -> None:
        self.folder = folder
        self._ports = {"1883": broker_port, "9464": find_free_port()}
        home = folder / ".home"
        for name in ("mosquitto_pub", "mosquitto_sub"):
            (home / ".config").mkdir(parents=True, exist_ok=True)
            (home / ".config" / name).write_text(f"-p {broker_port}\n", encoding="utf-8")
        self._fresh = dict(os.environ) | {
            "COLUMNS": "120",
            "HOME": str(home),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}:/usr/sbin",
            "TMPDIR": str(home),
        }
        self._environment = self._fresh | {"PWD": str(folder)}
        self._terminals: list[_Terminal] = []

    def settle(self, *, needs_daemon: bool) -> None:
        """Makes the folder the configuration that commands take; where it is asked for, its daemon runs."""
        for environment in (self._fresh, self._environment):
            environment["SITEWARD_CONFIG"] = str(self.folder)
        self._adapt()
        if needs_daemon:
            self._run(Block("the daemon", "siteward run", "in another terminal", '{…, "event": "subscribed", …}'))

    def follow(self, blocks: Iterable[Block]) -> None:
        """Runs every block that is run."""
        for block in blocks:
            if block.is_run:
                self._run(block)
                self._adapt()

    def _run(self, block: Block) -> None:
        script = self._exchange(block.script)
        if block.note in {"in another terminal", _INTERRUPTED}:
            terminal = self._begin(script)
            self._await(block, terminal.read)
            if block.note == _INTERRUPTED:
                self._terminals.pop().end(signal.SIGINT)
        elif block.note == "to be written":
            add_to_file(self.folder, block.script)
        elif block.note == "the other terminal shows":
            self._await(block, self._terminals[-1].read)
        elif block.note == "look again":
            self._await(block, lambda: self._call(script)[1])
        else:
            expected = int(block.note.removeprefix("exits with ")) if block.note else 0
            code, said = self._call(script)
            assert code == expected, f"{block.place}: exit code {code}, expected {expected}:\n{script}\n{said}"
            assert agrees(block.shown, self._restore(said)), f"{block.place}: shows\n{block.shown}\nsaid\n{said}"

    def _call(self, script: str) -> tuple[int, str]:
        """Runs commands to their end; exit code, and what they say. Where they go and what they export stays."""
        state = self.folder / ".home" / "environment"
        result = subprocess.run(
            ["/bin/bash", "-e", "-o", "pipefail", "-c", f"{script}\nenv -0 >{state}"],
            cwd=self._environment["PWD"], env=self._environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, timeout=_PATIENCE_S, check=False,
        )  # fmt: skip
        if result.returncode == 0:
            pairs = (pair.partition("=") for pair in state.read_text(encoding="utf-8").split("\0") if pair)
            self._environment = {name: value for name, _, value in pairs}
        return result.returncode, result.stdout

    def _begin(self, script: str) -> "_Terminal":
        terminal = _Terminal(script, self.folder, self._fresh)
        self._terminals.append(terminal)
        return terminal

    def _await(self, block: Block, look: Callable[[], str]) -> None:
        said = ""

        def is_seen() -> bool:
            nonlocal said
            said = look()
            return agrees(block.shown, self._restore(said))

        try:
            wait_until(is_seen, _PATIENCE_S)
        except TimeoutError:
            raise AssertionError(f"{block.place}: shows\n{block.shown}\nand it never did; at last\n{said}") from None

    def _exchange(self, text: str) -> str:
        for usual, here in self._ports.items():
            text = re.sub(rf"\b{usual}\b", str(here), text)
        return text

    def _restore(self, text: str) -> str:
        for usual, here in self._ports.items():
            text = re.sub(rf"\b{here}\b", usual, text)
        return text

    def _adapt(self) -> None:
        """Exchanges the ports in every configuration that was written."""
        paths = [path for depth in ("", "*/", "*/*/") for path in self.folder.glob(f"{depth}siteward.yaml")]
        for path in paths:
            text = path.read_text(encoding="utf-8")
            if path.resolve().is_relative_to(self.folder) and "\nhttp:" not in text:
                path.write_text(self._exchange(text + "\nhttp: {listen: 127.0.0.1:9464}\n"), encoding="utf-8")

    def stop(self) -> None:
        """Closes the other terminals."""
        while self._terminals:
            self._terminals.pop().end(signal.SIGTERM)


class _Terminal:
    """Commands that go on in the background."""

    def __init__(self, script: str, folder: Path, environment: dict[str, str]) -> None:
        with NamedTemporaryFile(dir=folder / ".home", delete=False) as log:
            self._log = Path(log.name)
            self._process = subprocess.Popen(
                ["/bin/bash", "-e", "-c", script], cwd=folder, env=environment, stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip

    def read(self) -> str:
        """What they have said so far."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def end(self, number: signal.Signals) -> None:
        """Ends them, and makes sure that nothing failed in them."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)
        try:
            self._process.wait(_PATIENCE_S)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
        assert "Traceback" not in self.read(), self.read()


@contextmanager
def walking(folder: Path) -> Iterator[Walker]:
    """Somebody in a clean folder, with a broker."""
    with Mosquitto(folder.with_name(f"{folder.name}-broker")) as broker:
        walker = Walker(folder, broker.port)
        try:
            yield walker
        finally:
            walker.stop()


def check_out(folder: Path) -> None:
    """Makes a folder look like a fresh copy of the project whose environment is ready."""
    for path in ROOT.iterdir():
        if not path.name.startswith((".", "var")):
            (folder / path.name).symlink_to(path)
    environment = folder / ".venv"
    environment.mkdir()
    for path in Path(sys.prefix).iterdir():
        (environment / path.name).symlink_to(path)
    (environment / "ready").unlink(missing_ok=True)
    (environment / "ready").touch()

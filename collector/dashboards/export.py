"""The dashboards as files: a folder for each language, a JSON file for each dashboard, the same ones in each."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from collector.configuration import Configuration
from collector.dashboards import access, desk, electricity, health, overview, water
from collector.dashboards.sheet import Edition, Sheet
from tickets.titles import Language

LANGUAGES: tuple[Language, ...] = ("en", "zh")


class Board(NamedTuple):
    """A dashboard: what fills it, the time range that it opens with, and how often it is drawn again."""

    draw: Callable[[Sheet], None]
    since: str = "now-7d"
    refresh: str = "5m"


BOARDS: Mapping[str, Board] = {
    "overview": Board(overview.draw),
    "electricity": Board(electricity.draw),
    "water": Board(water.draw),
    "access": Board(access.draw),
    "desk": Board(desk.draw),
    "health": Board(health.draw, "now-24h", "1m"),
}
"""Every dashboard by its name, which is a part of its uid and of its file's name."""


def edit(language: Language, configuration: Configuration | None = None) -> Edition:
    """An edition for a site; without a configuration, for any.

    The nominal voltage is that of most electricity meters of the register, else 230 V.
    """
    if configuration is None:
        return Edition(language)
    settings, tariffs = configuration.settings, configuration.tariffs
    nominal = Counter(device.nominal_voltage for device in configuration.register if device.nominal_voltage)
    voltage = nominal.most_common(1)[0][0] if nominal else Edition(language).voltage_v
    return Edition(language, settings.site.timezone, tariffs.currency, voltage, settings.notify.link)


def render(configuration: Configuration | None = None) -> Iterator[tuple[Path, str]]:
    """Every dashboard: its file below the folder of dashboards, and its JSON."""
    for language in LANGUAGES:
        for name, board in BOARDS.items():
            sheet = Sheet(name, edit(language, configuration), since=board.since, refresh=board.refresh)
            board.draw(sheet)
            text = json.dumps(sheet.build(), cls=JSONEncoder, indent=2, sort_keys=True, ensure_ascii=False)
            yield Path(language) / f"{name}.json", text + "\n"


def export(folder: Path, configuration: Configuration | None = None) -> list[Path]:
    """Writes every dashboard.

    Args:
        folder: gets a folder for each language; what stands there under the same names is replaced.
        configuration: of the site; None: for any site.

    Returns:
        The files.

    Raises:
        OSError: they cannot be written.
    """
    written = []
    for path, text in render(configuration):
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        written.append(target)
    return written

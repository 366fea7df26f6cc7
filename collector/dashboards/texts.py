"""Everything that people read on dashboards, in both languages: texts.yaml beside this file."""

from collections.abc import Mapping
from importlib.resources import files

import yaml

from devices.register import Model, Text


class Words(Model):
    """What a panel says: what stands above it, and what is told on pointing at it."""

    title: Text
    about: Text


class _Table(Model):
    panels: Mapping[str, Words]
    texts: Mapping[str, Text]


_TABLE = _Table.model_validate(
    yaml.safe_load(files("collector.dashboards").joinpath("texts.yaml").read_text(encoding="utf-8"))
)

PANELS = _TABLE.panels
"""Words of each panel, by dashboard and panel: electricity.load."""

TEXTS = _TABLE.texts
"""All other texts."""

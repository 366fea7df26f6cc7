"""What a configuration refers to on this machine: whether the files are there, and whether secrets are kept."""

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from collector.configuration import DEVICES_CSV, DEVICES_YAML, PLACES, SETTINGS, Configuration, Problem
from collector.errors import CollectorError
from collector.secrets import mqtt_password, store_password, store_token
from collector.settings import InfluxStore, Settings
from collector.yamlfile import Document, Path as Place

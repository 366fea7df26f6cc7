"""Opens the store that the settings name."""

from collector.configuration import Configuration
from collector.embedded import EmbeddedDatabase
from collector.influx import InfluxDatabase
from collector.settings import EmbeddedStore
from collector.store import Store


def open_store(configuration: Configuration) -> Store:
    """The store of a configuration; nothing is created or contacted yet."""
    settings, register = configuration.settings, configuration.register
    if isinstance(settings.store, EmbeddedStore):
        return EmbeddedDatabase(settings.data_dir / "store.db", settings.site, register, settings.retention)
    return InfluxDatabase(settings.store, settings.site, register)

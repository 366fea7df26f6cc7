"""Opens the store that the settings name."""

from collector.configuration import Configuration
from collector.embedded import EmbeddedDatabase
from collector.settings import EmbeddedStore
from collector.store import Store


def open_store(configuration: Configuration) -> Store:
    """The store of a configuration; nothing is created or contacted yet."""
    settings, register = configuration.settings, configuration.register
    if isinstance(settings.store, EmbeddedStore):
        return EmbeddedDatabase(settings.data_dir / "store.db", settings.site, register, settings.retention)
    # Its client library takes 0.2 s and 18 MB to load: only who uses it pays.
    from collector.influx import InfluxDatabase  # noqa: PLC0415 - see above

    return InfluxDatabase(settings.store, settings.site, register)

"""Configuration folders for tests."""

from pathlib import Path
from typing import Any

import yaml

from tests.integration.servers import find_free_port


def write_site(folder: Path, devices: str = "id,kind\nem-1,electricity_meter\n", **settings: Any) -> Path:  # noqa: ANN401 - settings of every type
    """Writes a configuration and returns its folder; data_dir lies beside it.

    Args:
        folder: gets the folders config and data.
        devices: devices.csv.
        settings: sections of siteward.yaml; left out: site `site`, no broker, the embedded store, any free port.
    """
    config = folder / "config"
    config.mkdir(parents=True, exist_ok=True)
    content = {
        "site": {"id": "site"},
        "data_dir": "../data",
        "mqtt": {"url": f"mqtt://127.0.0.1:{find_free_port()}", "client_id": "siteward"},
        "http": {"listen": f"127.0.0.1:{find_free_port()}"},
        **settings,
    }
    (config / "siteward.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    (config / "devices.csv").write_text(devices, encoding="utf-8")
    return config

"""Which reports there are, and what makes each of them."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

from collector.reports.access import make_access
from collector.reports.carbon import make_carbon
from collector.reports.context import Context
from collector.reports.document import Report
from collector.reports.energy import make_energy
from collector.reports.period import Period
from collector.reports.service import make_service
from collector.reports.water import make_water

Maker: TypeAlias = Callable[[Context, Period], Report]

MAKERS: Mapping[str, Maker] = {
    "energy": make_energy,
    "water": make_water,
    "access": make_access,
    "service": make_service,
    "carbon": make_carbon,
}
"""Reports by their names, in the order in which they are listed."""

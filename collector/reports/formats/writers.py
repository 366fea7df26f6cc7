"""The formats by their names."""

from collections.abc import Callable, Mapping
from typing import Literal, TypeAlias

from collector.reports.document import Report
from collector.reports.formats.csv import write_csv
from collector.reports.formats.html import write_html
from collector.reports.formats.pdf import write_pdf
from collector.reports.formats.xlsx import write_xlsx

FormatName: TypeAlias = Literal["html", "pdf", "xlsx", "csv"]

WRITERS: Mapping[FormatName, Callable[[Report], bytes]] = {
    "html": write_html,
    "pdf": write_pdf,
    "xlsx": write_xlsx,
    "csv": write_csv,
}
"""What makes a file of a report, by the ending of its name."""

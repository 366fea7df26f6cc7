"""Reports as PDF: the same page on paper, with page numbers and tags for those who have it read aloud."""

import logging
from typing import NoReturn

from collector.errors import CollectorError
from collector.reports.document import Report
from collector.reports.formats.html import write_html

_MISSING = (
    "PDF needs the library Pango, which is not installed: apt-get install libpango-1.0-0 libpangoft2-1.0-0"
    " libharfbuzz-subset0. Without it, make html and print that from a browser"
)


class PdfUnavailableError(CollectorError):
    """The libraries that draw pages are not there."""


def write_pdf(report: Report) -> bytes:
    """The document.

    Raises:
        PdfUnavailableError: says what to install.
    """
    for name in ("weasyprint", "weasyprint.progress", "fontTools"):  # they tell of every step, also while they load
        logging.getLogger(name).setLevel(logging.ERROR)
    try:
        # It takes a second to load, and a library of the system: only who wants PDF pays.
        from weasyprint import HTML  # noqa: PLC0415 - see above
    except OSError as error:
        raise PdfUnavailableError(f"{_MISSING} ({error})") from error
    page = HTML(string=write_html(report).decode(), url_fetcher=_refuse)
    pdf: bytes = page.write_pdf(pdf_tags=True)
    return pdf


def _refuse(url: str) -> NoReturn:
    raise ValueError(f"a report fetches nothing, and would have fetched {url}")

"""Formats of reports: pages, sheets and lines from the same document; none of them works anything out."""

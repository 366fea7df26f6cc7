"""The Siteward daemon and its command line: the only package that wires things together."""

__version__ = "0.1.0"

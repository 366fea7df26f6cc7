"""Sections: what is known of a period, as parts of a report."""

"""Backup and restore of everything that is not in the store: what is in it, how it is taken, and how it comes back."""

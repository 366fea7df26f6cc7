"""Notifications: what happened to tickets, told to people, to rooms where they chat, and to outside systems."""

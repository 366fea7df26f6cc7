"""The language of profiles: what a profile may say, and how it becomes functions that read messages."""

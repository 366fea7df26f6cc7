"""The formats of payloads: each opens a payload into parts."""

"""The service desk: alerts and people's requests become tickets that somebody owns until they are done."""

"""What a device is and what it says. Pure: no socket, no database, no thread, no clock of its own."""

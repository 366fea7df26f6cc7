"""What devices announce of themselves at the broker, made proposals for the register. Pure."""

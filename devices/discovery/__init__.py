"""What devices announce of themselves at the broker, as proposals for the register. Pure: messages in, proposals out."""

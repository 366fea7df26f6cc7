"""What `siteward init --deploy` writes: a whole site for compose, with certificates and secrets of its own."""

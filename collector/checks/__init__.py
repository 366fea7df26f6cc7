"""What `siteward doctor` looks at: the broker, the gateway, and what an outage would cost."""

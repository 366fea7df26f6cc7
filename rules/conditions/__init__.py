"""The conditions that a rule can make, one file each: what the YAML says, and the node that judges it."""

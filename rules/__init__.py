"""When a reading matters: rules that facility engineers write, and the engine that judges readings by them. Pure."""

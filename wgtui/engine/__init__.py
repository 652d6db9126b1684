"""Mind: a Snapshot and a Flow in, a Trace out. No clock, no IO, no randomness, no English."""

"""A *source* reads the machine once into an immutable Snapshot; the *engine* answers a Flow about
it with a Trace; a *view* says the Trace in words."""

__version__ = "0.1.0"

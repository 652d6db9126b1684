"""Face: the only room that knows Textual."""

"""Hints for prompts that a run is stuck on, asked of a teacher model behind a server."""

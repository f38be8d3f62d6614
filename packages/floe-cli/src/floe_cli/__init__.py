"""The floe command."""

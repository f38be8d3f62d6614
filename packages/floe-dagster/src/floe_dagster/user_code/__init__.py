"""The user's Python: how it is imported, called and understood."""

"""Selections of assets as text: read, checked and written again, without the assets."""

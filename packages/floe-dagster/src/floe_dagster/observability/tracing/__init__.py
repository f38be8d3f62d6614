"""Spans, made of what is observed of a run."""

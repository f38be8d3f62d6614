"""Backfills: what they launch, judged by the runs that are in the instance."""

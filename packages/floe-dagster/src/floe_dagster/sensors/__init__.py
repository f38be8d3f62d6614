"""What sensors see, decide and remember between ticks."""

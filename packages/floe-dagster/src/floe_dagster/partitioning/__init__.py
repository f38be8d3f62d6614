"""Which partitions there are, which are meant, and how messages say it."""

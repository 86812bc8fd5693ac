"""Statistics of measurements. Pure functions on numbers: nothing here reads, writes or waits."""

"""The benchmark: builds, starts servers, points the load generator at them, judges and reports."""

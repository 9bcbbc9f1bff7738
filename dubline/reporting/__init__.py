"""The report of a run: one value, written as JSON for programs and as a page for people."""

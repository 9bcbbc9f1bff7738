"""A watched folder: what is dropped into it is translated once, and results and reasons are put back where it lies."""

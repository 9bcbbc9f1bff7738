"""Measures of sound on which engines and media both stand: where voices are, and whether channels cancel out."""

"""How languages write sums, dates, times, quantities, and what keeps a translator from tearing them."""

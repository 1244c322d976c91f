"""A module as its author would hand it in: a filter, its golden model, and the description made of them."""

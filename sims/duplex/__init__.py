"""Duplex (MICRO'24) and its comparators: a GPU-class device with Logic-PIM."""

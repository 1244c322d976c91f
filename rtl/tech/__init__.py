"""Technologies: Liberty libraries of standard cells, the embedded one among them."""

"""LUT tensor core: products with weights of 1 to 4 bits as look-ups in tables of activation sums."""

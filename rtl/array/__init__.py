"""Tensor engines: systolic arrays, 2D matrix, 3D cube, multiplier-adder tree, arrays of sparse digits."""

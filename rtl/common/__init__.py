"""Primitives: compressors, encoders, partial products, stream registers, and their golden models."""

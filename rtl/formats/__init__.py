"""Dot products of block formats: integers and small floats with a shared scale, as gates and as models."""

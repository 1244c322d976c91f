"""Modules from outside the library as environments: RTL and a golden model of one's own."""

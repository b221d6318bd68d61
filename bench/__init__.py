"""Measurements beside other programs; each prints a table and writes it to docs/benchmarks.md."""

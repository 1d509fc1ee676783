"""Benchmarks, generators, and comparisons with what others wrote; not collected by pytest."""

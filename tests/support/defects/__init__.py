"""Defects of recorded messages, each with the requirement that must find it."""

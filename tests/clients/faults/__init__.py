"""What a client can do wrong: each fault is a part of the faithful client with another one in its place."""

from clients.faults import giving, listening, repeating, sending, sent
from clients.faults.registry import FAULTS, Fault

__all__ = ["FAULTS", "Fault", "giving", "listening", "repeating", "sending", "sent"]

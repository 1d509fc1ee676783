"""What the tests share: sessions, servers, journals, and servers and clients that are wrong on purpose."""

from pathlib import Path

#: The checkout.
ROOT = Path(__file__).parent.parent.parent

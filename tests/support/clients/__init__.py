"""A faithful client, and what it can do wrong: what the judge of clients is held to."""

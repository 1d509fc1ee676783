"""The judge of clients: what an SDK sends to a server that plays a script, and what its user sees of the answers."""

"""The cases about clients: one file a chapter of what a client owes its user and the server."""

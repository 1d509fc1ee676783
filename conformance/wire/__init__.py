"""What travels between the suite and a target: exchanges, operations and models."""

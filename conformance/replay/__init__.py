"""Cassettes: vcrpy's own, behind senders of ours and without its process-wide patching."""

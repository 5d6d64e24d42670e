"""Starter specs that are fitted to a file of data: what `graphspec new KIND --data FILE` writes."""

"""Processes of our own that do what a stranger asks for: how they are confined and spoken to."""

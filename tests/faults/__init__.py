"""Faults: operations killed, starved and lied to at every system call, and what is left of them."""

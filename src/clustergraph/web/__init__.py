"""The web: HTTP turned into calls of the library, and its answers into HTTP."""

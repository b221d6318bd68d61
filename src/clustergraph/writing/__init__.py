"""Writes over HTTP: documents taken in, writes queued, and the process that publishes them."""

from clustergraph.writing.queue import WriteQueue, Written
from clustergraph.writing.uploads import File, Upload, received, together

__all__ = ["File", "Upload", "WriteQueue", "Written", "received", "together"]

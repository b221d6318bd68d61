"""Writes over HTTP: documents taken in, writes queued, and the process that publishes them."""

from clustergraph.writing.queue import WriteQueue, Written
from clustergraph.writing.uploads import Upload, received

__all__ = ["Upload", "WriteQueue", "Written", "received"]

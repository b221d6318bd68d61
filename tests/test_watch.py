"""``validate --watch``: each save is validated, and an unfinished text does not end it."""

from __future__ import annotations

import queue
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

from clustergraph.workbench import watch

if TYPE_CHECKING:
    from pathlib import Path

SHAPES = """@prefix sh: <http://www.w3.org/ns/shacl#> . @prefix ex: <http://e/> .
ex:S a sh:NodeShape ; sh:targetSubjectsOf ex:name ; sh:property ex:One .
ex:One sh:path ex:name ; sh:maxCount 1 .
"""


def test_changes_are_told_once_the_files_rest(tmp_path: Path) -> None:
    """Files that change, come and go, each time."""
    one, two = tmp_path / "one.ttl", tmp_path / "two.ttl"
    one.write_text("1")
    seen = watch.changes(lambda: tmp_path.glob("*.ttl"), every=0.01)
    assert next(seen) == ()
    one.write_text("22")
    two.write_text("1")
    assert next(seen) == (one, two)
    two.unlink()
    assert next(seen) == (two,)


def test_each_save_is_validated(tmp_path: Path) -> None:
    """Findings, then a syntax error, then nothing; Ctrl-C ends it with the last exit code."""
    path = tmp_path / "data.ttl"
    (tmp_path / "shapes.ttl").write_text(SHAPES)
    path.write_text("@prefix ex: <http://e/> . ex:a ex:name 1 , 2 .")
    options = ["validate", "data.ttl", "--shapes", "shapes.ttl", "--watch"]
    process = subprocess.Popen(
        # where a shell runs tests in the background, its children ignore Ctrl-C
        ["/usr/bin/env", "--default-signal=INT", sys.executable, "-m", "clustergraph", *options],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    told: queue.Queue[str] = queue.Queue()
    assert process.stdout is not None
    stream = process.stdout
    listener = threading.Thread(target=lambda: [told.put(line) for line in stream])
    listener.start()

    def until(word: str) -> str:
        said = ""
        while word not in said:
            said += told.get(timeout=60)
        return said

    assert "error[One]" in until("waiting")
    path.write_text("@prefix ex: <http://e/> . ex:a ex:name 1 , .")
    assert "error[syntax]" in until("waiting")
    path.write_text("@prefix ex: <http://e/> . ex:a ex:name 1 .")
    said = until("waiting")
    assert "data.ttl changed" in said
    assert "conforms: 0 errors" in said
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=60) == 0
    listener.join()
    stream.close()

"""Dumps over HTTP: whole, in parts, resumed; held or not; gone with their release."""

from __future__ import annotations

import base64
import gzip
import hashlib
import time
from email.utils import format_datetime

import pytest
from tests.web.conftest import Site

NAME = "example.nq.gz"


@pytest.fixture
def dumped(site: Site) -> Site:
    """A site whose first release is written as files."""
    site.graph.dumps.write()
    return site


def test_files_and_sums(dumped: Site) -> None:
    """What the index names is there, in the sizes and sums that it tells."""
    index = dumped.get("/dump/", headers={"Accept": "application/json"}).json
    sums = dict(
        reversed(line.split("  ")) for line in dumped.get("/dump/1/SHA256SUMS").text.splitlines()
    )
    assert len(index["files"]) == 12
    for each in index["files"]:
        found = dumped.get(f"/dump/1/{each['name']}")
        assert found.status_code == 200
        assert found.mimetype == each["compress_type"]
        digest = hashlib.sha256(found.data)
        assert digest.hexdigest() == each["sha256"] == sums[each["name"]]
        assert found.content_length == len(found.data) == each["size"]
        told = base64.b64encode(digest.digest()).decode()
        assert found.headers["Repr-Digest"] == f"sha-256=:{told}:"
        assert "Content-Encoding" not in found.headers
    page = dumped.get("/dump/", headers={"Accept": "text/html"}).text
    assert all(f"/dump/1/{name}" in page for name in sums)
    assert dumped.get("/dump/1/index.json").json == {
        name: value for name, value in index.items() if name != "others"
    }


def test_the_newest_has_an_address_of_its_own(dumped: Site) -> None:
    """The same bytes; what has a number in its address never changes."""
    latest, numbered = dumped.get(f"/dump/latest/{NAME}"), dumped.get(f"/dump/1/{NAME}")
    assert latest.data == numbered.data
    assert latest.headers["ETag"] == numbered.headers["ETag"]
    assert latest.headers["Content-Location"] == f"/dump/1/{NAME}"
    assert "immutable" in numbered.headers["Cache-Control"]
    assert "immutable" not in latest.headers["Cache-Control"]
    plain = dumped.get("/dump/latest/example.nq")
    assert (plain.status_code, plain.location) == (302, f"/dump/latest/{NAME}")
    assert gzip.decompress(latest.data).startswith(b"<")


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [("bytes=0-0", 0, 0), ("bytes=10-", 10, None), ("bytes=-5", -5, None), ("bytes=3-9", 3, 9),
     ("bytes=0-99999999", 0, None), ("bytes=-99999999", 0, None), ("Bytes = 1-2", None, None)],
)  # fmt: skip
def test_parts(dumped: Site, asked: str, first: int | None, last: int | None) -> None:
    """One range of bytes."""
    whole = dumped.get(f"/dump/1/{NAME}").data
    found = dumped.get(f"/dump/1/{NAME}", headers={"Range": asked})
    if first is None:
        assert (found.status_code, found.data) == (200, whole)
        return
    start = first if first >= 0 else len(whole) + first
    end = len(whole) - 1 if last is None else last
    assert found.status_code == 206
    assert found.data == whole[start : end + 1]
    assert found.headers["Content-Range"] == f"bytes {start}-{end}/{len(whole)}"
    assert found.content_length == len(found.data)


@pytest.mark.parametrize(
    "asked", ["bytes=5-2", "bytes=0-1,4-5", "lines=1-2", "bytes=a-b", "bytes=", "bytes=--1", "x"]
)
def test_ranges_that_are_none(dumped: Site, asked: str) -> None:
    """Are not looked at: the whole file."""
    found = dumped.get(f"/dump/1/{NAME}", headers={"Range": asked})
    assert found.status_code == 200
    assert found.content_length == len(found.data)


def test_ranges_beyond_the_end(dumped: Site) -> None:
    """416, with the size."""
    size = len(dumped.get(f"/dump/1/{NAME}").data)
    for asked in (f"bytes={size}-", f"bytes={size + 5}-{size + 9}", "bytes=-0"):
        found = dumped.get(f"/dump/1/{NAME}", headers={"Range": asked})
        assert found.status_code == 416
        assert found.headers["Content-Range"] == f"bytes */{size}"


def test_resuming(dumped: Site) -> None:
    """If-Range: the rest of the same file, by tag or date; the whole of another."""
    whole = dumped.get(f"/dump/latest/{NAME}")
    tag, date = whole.headers["ETag"], whole.headers["Last-Modified"]
    later = format_datetime(whole.last_modified.replace(year=2100), usegmt=True)
    for condition, status in (
        (tag, 206), (date, 206), ('"other"', 200), (f"W/{tag}", 200), (later, 200), ("x", 200),
    ):  # fmt: skip
        headers = {"Range": "bytes=100-", "If-Range": condition}
        found = dumped.get(f"/dump/latest/{NAME}", headers=headers)
        assert found.status_code == status, condition
        assert found.data == (whole.data[100:] if status == 206 else whole.data)


def test_held(dumped: Site) -> None:
    """304 by tag or date, before any range; HEAD says all but the bytes."""
    whole = dumped.get(f"/dump/1/{NAME}")
    for headers in (
        {"If-None-Match": whole.headers["ETag"], "Range": "bytes=0-1"},
        {"If-None-Match": f"W/{whole.headers['ETag']}"},
        {"If-None-Match": "*"},
        {"If-Modified-Since": whole.headers["Last-Modified"]},
    ):
        assert dumped.get(f"/dump/1/{NAME}", headers=headers).status_code == 304
    other = {"If-None-Match": '"x"', "If-Modified-Since": whole.headers["Last-Modified"]}
    assert dumped.get(f"/dump/1/{NAME}", headers=other).status_code == 200
    for address in ("/dump/latest/SHA256SUMS", "/dump/", "/sitemap.xml", "/sitemap/1.xml"):
        tag = dumped.get(address).headers["ETag"]
        assert dumped.get(address, headers={"If-None-Match": tag}).status_code == 304, address
    assert dumped.get(f"/dump/1/{NAME}", headers={"If-Match": '"x"'}).status_code == 412
    tag = whole.headers["ETag"]
    assert dumped.get(f"/dump/1/{NAME}", headers={"If-Match": tag}).status_code == 200
    head = dumped.client.head(f"/dump/1/{NAME}")
    assert (head.status_code, head.data) == (200, b"")
    assert head.headers["Content-Length"] == whole.headers["Content-Length"]
    assert head.headers["Accept-Ranges"] == "bytes"


@pytest.mark.parametrize(
    ("address", "status"),
    [("/dump/7/", 404), ("/dump/1/other.nq.gz", 404), ("/dump/1/..%2f..%2fmanifest.json", 404),
     ("/dump/1/.lock", 404), ("/dump/x/", 400), ("/dump/-1/", 400), ("/dump/9999999999/", 400),
     ("/dump/../tokens.json", 400), ("/dump/latest/%00", 404)],
)  # fmt: skip
def test_what_is_not_there(dumped: Site, address: str, status: int) -> None:
    """Nothing but what the index names is given."""
    assert dumped.get(address).status_code == status


def test_written_in_the_background(site: Site) -> None:
    """Who asks first is told to come again; soon it is there, written by another process."""
    for address in ("/dump/latest/example.nq.gz", "/dump/1/example.nq.gz"):
        first = site.get(address)
        assert first.status_code == 503
        assert int(first.headers["Retry-After"]) > 0
    assert "being written" in site.get("/dump/", headers={"Accept": "text/html"}).text
    until = time.monotonic() + 30
    while site.get(f"/dump/latest/{NAME}").status_code != 200:
        assert time.monotonic() < until
        time.sleep(0.1)
    assert site.update("INSERT DATA { <http://x/a> <http://x/p> 1 }").status_code == 200
    newer = site.get(f"/dump/latest/{NAME}")
    assert newer.headers["Content-Location"] == f"/dump/1/{NAME}"  # until the newer one is written
    assert site.get(f"/dump/2/{NAME}").status_code == 404


def test_gone_with_the_release(dumped: Site) -> None:
    """410, as the release itself."""
    dumped.graph.build(force=True)
    dumped.graph.archive.thin(1, 0)
    assert dumped.get(f"/dump/1/{NAME}").status_code == 410
    assert dumped.get("/dump/1/").status_code == 410
    assert dumped.get(f"/dump/3/{NAME}").status_code == 404


def test_a_store_without_anything(plain: Site) -> None:
    """Has files too, of nothing."""
    dump = plain.graph.dumps.write()
    assert {each.statements for each in dump.files} == {0}
    for each in dump.files:
        assert plain.get(f"/dump/latest/{each.name}").status_code == 200


def test_files_are_described_as_they_are(site: Site) -> None:
    """Statuses and types, in OpenAPI."""
    site.graph.dumps.write()
    document = site.get("/openapi.json").json
    told = document["paths"]["/dump/{release}/{name}"]["get"]["responses"]
    stem = site.graph.settings.stem
    for name, headers, status in (
        (f"{stem}.nq.gz", {}, "200"), (f"{stem}.ttl.zst", {}, "200"), ("SHA256SUMS", {}, "200"),
        (f"{stem}.nq.gz", {"Range": "bytes=0-1"}, "206"), (f"{stem}.nq", {}, "302"),
        (f"{stem}.nq.gz", {"Range": "bytes=99999999-"}, "416"),
    ):  # fmt: skip
        answer = site.get(f"/dump/latest/{name}", headers=headers)
        assert str(answer.status_code) == status
        if "content" in told[status]:
            assert answer.mimetype in told[status]["content"]

"""A package's archive is read as a stream, within limits, whatever stands in it."""

from __future__ import annotations

import gzip
import io
import tarfile

import pytest

from pleinair.models.sources import tarball

A = b"weights" * 1000


def build(*members: tuple[tarfile.TarInfo, bytes], format: int = tarfile.PAX_FORMAT) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=format) as archive:
        for member, blob in members:
            member.size = len(blob)
            archive.addfile(member, io.BytesIO(blob))
    return out.getvalue()


def file(name: str, blob: bytes = A) -> tuple[tarfile.TarInfo, bytes]:
    return tarfile.TarInfo(name), blob


def read(tar: bytes, *wanted: str) -> dict[str, bytes]:
    return {path: stream.read() for path, stream in tarball.members(io.BytesIO(gzip.compress(tar)), wanted)}


SHORT, MIDDLE, LONG = "w/a.bin", "deep/" * 15 + "a.bin", "deep/" * 40 + "å.bin"


@pytest.mark.parametrize(
    ("format", "name"),
    [(f, n) for f in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT) for n in (SHORT, MIDDLE, LONG)]
    + [(tarfile.USTAR_FORMAT, SHORT), (tarfile.USTAR_FORMAT, MIDDLE + "/" + "x" * 60)],
)
def test_names_of_every_length_in_every_format(format, name):
    tar = build(file("package/first", b"x"), file(f"package/{name}"), file("package/last", b"yy"), format=format)
    assert read(tar, name, "last") == {name: A, "last": b"yy"}


def test_a_member_that_is_not_read_to_its_end_is_passed_over():
    tar = build(file("package/a"), file("package/b", b"b"))
    found = [(path, stream.read(3)) for path, stream in tarball.members(io.BytesIO(gzip.compress(tar)), ("a", "b"))]
    assert found == [("a", A[:3]), ("b", b"b")]


def test_only_regular_files_count_and_each_path_once():
    link, device, folder = tarfile.TarInfo("package/a"), tarfile.TarInfo("package/b"), tarfile.TarInfo("package/c")
    link.type, link.linkname = tarfile.LNKTYPE, "../../etc/passwd"
    device.type, folder.type = tarfile.CHRTYPE, tarfile.DIRTYPE
    tar = build((link, b""), (device, b""), (folder, b""), file("package/d"), file("package/d", b"second"))
    assert read(tar, "a", "b", "c", "d") == {"d": A}


def header(size: bytes = b"%011o" % 5, kind: bytes = b"0") -> bytes:
    head = bytearray(512)
    head[:9], head[124 : 124 + len(size)], head[156:157] = b"package/a", size, kind
    head[148:156] = b"        "
    head[148:155] = b"%06o\0" % sum(head)
    return bytes(head)


@pytest.mark.parametrize(
    ("tar", "part"),
    [
        (build(file("package/b"))[:700], "cut short"),
        (b"no archive at all" * 100, "damaged"),
        (header(b"zzz") + b"\0" * 1024, "damaged"),
        (header(b"\x80" + b"\xff" * 11), "64 GiB"),
        (header(b"%011o" % (1 << 30), b"x"), "extended header is too large"),
        (header(b"%011o" % (1 << 30), b"L"), "extended header is too large"),
        (header(b"%011o" % 20, b"x") + b"99999 path=x\n".ljust(512, b"\0"), "extended header is damaged"),
        (header(b"%011o" % 20, b"x") + b"-5 path=x\n".ljust(512, b"\0"), "extended header is damaged"),
        (header(b"%011o" % 0) * 50, "members"),
    ],
)
def test_a_broken_archive_is_refused(monkeypatch, tar, part):
    monkeypatch.setattr(tarball, "MAX_MEMBERS", 40)
    with pytest.raises(tarball.Broken, match=part):
        read(tar, "nothing")


def test_what_is_no_gzip_or_cut_in_half_is_refused():
    packed = gzip.compress(build(file("package/a", bytes(range(256)) * 1000)))
    for blob in (b"no gzip", packed[: len(packed) // 2], packed[:40] + b"????" + packed[44:]):
        with pytest.raises(tarball.Broken):
            [stream.read() for _, stream in tarball.members(io.BytesIO(blob), ("a",))]


def test_any_flipped_byte_of_the_archive_ends_in_a_refusal_or_the_whole_file():
    """Nothing but Broken comes out, whatever the bytes: what was read is then hashed by the store."""
    import random

    tar = build(file("package/deep/" + "x" * 120), file("package/a"))
    chance = random.Random(1)
    for _ in range(400):
        spoilt = bytearray(tar)
        for _ in range(chance.randint(1, 4)):
            spoilt[chance.randrange(len(spoilt))] = chance.randrange(256)
        try:
            found = read(bytes(spoilt), "a")
        except tarball.Broken:
            continue
        assert len(found.get("a", b"")) <= len(tar)

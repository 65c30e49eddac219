"""The corpus: every way to it, against a server that misbehaves."""

import hashlib
import http.server
import math
import os
import re
import runpy
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch

from unrolled import claims, corpus
from unrolled.corpus import CorpusError, load_corpus, split
from unrolled.vocab import character_stream, clean_lines, tokenize

REAL = os.environ.get("UNROLLED_DATA")
BOOK = b"The Time Machine\n\nis not this text, but stands in for it.\n" * 50


def same_library():
    """Environment of a child process that imports the library under test."""
    folder = Path(corpus.__file__).parents[1]
    return {**os.environ, "PYTHONPATH": str(folder)}


def raises(message):
    return pytest.raises(CorpusError, match=r"^" + re.escape(message))


class Handler(http.server.BaseHTTPRequestHandler):
    """Behaves as the first part of the path says."""

    def do_GET(self):
        how = self.path.strip("/").split("/")[0]
        self.server.asked.append(how)
        if how == "missing":
            self.send_error(404)
        elif how == "stall":
            self.server.stop.wait(300)
        elif how == "drip":
            self.send_response(200)
            self.end_headers()
            while not self.server.stop.wait(0.05):
                self.wfile.write(b"x")  # fails once the client has hung up
        else:
            body = {"serve": BOOK, "corrupt": BOOK[::-1]}.get(how, BOOK)
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[:100] if how == "truncate" else body)

    def log_message(self, *arguments):
        pass


@pytest.fixture
def server():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.stop, server.asked = threading.Event(), []
    server.handle_error = lambda *_: None  # a client that has hung up
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.stop.set()
    server.shutdown()
    server.server_close()


@pytest.fixture
def world(monkeypatch, tmp_path, server):
    """The stand-in for the book, a local server, a fresh cache."""
    cache = tmp_path / "cache"
    digest = hashlib.sha256(BOOK).hexdigest()
    monkeypatch.setattr(corpus, "SHA256", digest)
    monkeypatch.setattr(corpus, "READ_TIMEOUT", 0.4)
    monkeypatch.setattr(corpus, "PATIENCE", 10.0)
    monkeypatch.setenv("UNROLLED_CACHE", str(cache))
    monkeypatch.delenv("UNROLLED_DATA", raising=False)
    monkeypatch.delenv("UNROLLED_OFFLINE", raising=False)

    class World:
        pass

    world = World()
    world.cache, world.file = cache, cache / corpus.FILE_NAME
    world.asked = server.asked

    def mirrors(*behaviours):
        base = f"http://127.0.0.1:{server.server_port}"
        urls = tuple(f"{base}/{how}/timemachine.txt" for how in behaviours)
        monkeypatch.setattr(corpus, "MIRRORS", urls)

    world.mirrors = mirrors
    yield world
    corpus._loaded_the_book = True


class TestDownload:
    def test_from_the_first_mirror_into_the_cache(self, world):
        world.mirrors("serve", "stall")
        assert load_corpus() == BOOK.decode()
        assert world.file.read_bytes() == BOOK
        assert world.asked == ["serve"]
        assert os.listdir(world.cache) == [corpus.FILE_NAME]

    def test_the_cache_is_used_without_asking(self, world):
        world.cache.mkdir()
        world.file.write_bytes(BOOK)
        world.mirrors("missing")
        assert load_corpus() == BOOK.decode()
        assert world.asked == []

    @pytest.mark.parametrize(
        "bad", ["missing", "stall", "truncate", "corrupt"]
    )
    def test_a_bad_mirror_is_passed_over(self, world, bad):
        # a mirror that used up the patience for both would be an error
        world.mirrors(bad, "serve")
        assert load_corpus() == BOOK.decode()
        assert world.asked == [bad, "serve"]
        assert world.file.read_bytes() == BOOK

    @pytest.mark.parametrize(
        "bad", ["missing", "stall", "truncate", "corrupt"]
    )
    def test_no_good_mirror_leaves_nothing_behind(self, world, bad):
        world.mirrors(bad, bad)
        cause = rf"http://127\S+/{bad}/timemachine.txt: \w+"
        with pytest.raises(
            CorpusError,
            match=f"^The Time Machine could not be had: {cause}; {cause}[.] ",
        ):
            load_corpus()
        assert world.asked == [bad, bad]
        assert not world.file.exists()

    def test_a_damaged_cached_file_is_replaced(self, world):
        world.cache.mkdir()
        world.file.write_bytes(BOOK[:-1])
        world.mirrors("serve")
        assert load_corpus() == BOOK.decode()
        assert world.file.read_bytes() == BOOK

    def test_a_damaged_cached_file_is_never_used(self, world):
        world.cache.mkdir()
        world.file.write_bytes(BOOK[:-1])
        world.mirrors("missing")
        with raises("The Time Machine could not be had: "):
            load_corpus()

    def test_a_server_that_drips_is_left_in_time(self, world, monkeypatch):
        world.mirrors("drip")
        monkeypatch.setattr(corpus, "PATIENCE", 1.0)
        # it would drip for ever
        with pytest.raises(CorpusError, match="no answer within 1 s"):
            load_corpus()
        others = set(threading.enumerate()) - {threading.main_thread()}
        assert all(thread.daemon for thread in others)

    def test_the_real_patience_is_under_20_seconds(self):
        assert corpus.PATIENCE <= 18
        assert len(corpus.MIRRORS) == 2
        assert 0 < corpus.READ_TIMEOUT < corpus.PATIENCE

    def test_a_read_only_cache_is_survived(self, world, monkeypatch):
        """No folder can be made below a file, not even by root."""
        world.cache.write_bytes(b"a file, not a folder")
        monkeypatch.setenv("UNROLLED_CACHE", str(world.cache / "below"))
        world.mirrors("serve")
        assert load_corpus() == BOOK.decode()
        assert world.cache.read_bytes() == b"a file, not a folder"

    @pytest.mark.skipif(
        not Path("/proc/self").is_dir(), reason="there is no /proc here"
    )
    def test_a_folder_without_room_for_files_is_survived(
        self, world, monkeypatch, tmp_path
    ):
        elsewhere = tmp_path / "usual"
        monkeypatch.setattr(corpus.pooch.core, "os_cache", lambda _: elsewhere)
        monkeypatch.setenv("UNROLLED_CACHE", "/proc/self")
        world.mirrors("stall", "serve")
        assert load_corpus() == BOOK.decode()
        assert not elsewhere.exists()

    def test_a_deep_cache_folder_is_made(self, world, monkeypatch, tmp_path):
        deep = tmp_path / "a" / "b" / "c"
        monkeypatch.setenv("UNROLLED_CACHE", str(deep))
        world.mirrors("serve")
        load_corpus()
        assert (deep / corpus.FILE_NAME).read_bytes() == BOOK

    def test_a_hanging_download_does_not_keep_the_program(self, world, server):
        code = (
            "from unrolled import corpus; "
            "corpus.PATIENCE, corpus.READ_TIMEOUT = 0.5, 290.0; "
            "corpus.MIRRORS = "
            f"('http://127.0.0.1:{server.server_port}/stall/x',); "
            "corpus.load_corpus(fallback='builtin')"
        )
        # no budget: a program that is kept ends after the read timeout
        subprocess.run(
            [sys.executable, "-c", code],
            check=True,
            env=same_library(),
            timeout=240,
        )

    def test_two_processes_at_once(self, world, server):
        code = (
            "from unrolled import corpus; "
            f"corpus.SHA256 = {corpus.SHA256!r}; "
            "corpus.MIRRORS = "
            f"('http://127.0.0.1:{server.server_port}/serve/x',); "
            "print(len(corpus.load_corpus()))"
        )
        both = [
            subprocess.Popen(
                [sys.executable, "-c", code],
                stdout=subprocess.PIPE,
                text=True,
                env=same_library(),
            )
            for _ in range(2)
        ]
        assert [p.communicate()[0] for p in both] == [f"{len(BOOK)}\n"] * 2
        assert world.file.read_bytes() == BOOK
        assert os.listdir(world.cache) == [corpus.FILE_NAME]

    def test_offline_asks_nobody(self, world, monkeypatch):
        monkeypatch.setenv("UNROLLED_OFFLINE", "1")
        world.mirrors("serve")
        with raises(
            "The Time Machine could not be had: UNROLLED_OFFLINE is set and "
            "no copy is cached. Either put timemachine.txt into a folder and "
            "set UNROLLED_DATA to it, or pass fallback='builtin', or bring "
            "your own text with path=..."
        ):
            load_corpus()
        assert world.asked == []

    @pytest.mark.parametrize("value", ["", "0"])
    def test_offline_0_means_online(self, world, monkeypatch, value):
        monkeypatch.setenv("UNROLLED_OFFLINE", value)
        world.mirrors("serve")
        assert load_corpus() == BOOK.decode()

    def test_the_usual_cache_is_the_system_s(self, world, monkeypatch):
        monkeypatch.delenv("UNROLLED_CACHE")
        asked = []

        def os_cache(name):
            asked.append(name)
            return world.cache

        monkeypatch.setattr(corpus.pooch, "os_cache", os_cache)
        world.mirrors("serve")
        assert load_corpus() == BOOK.decode()
        assert asked == ["unrolled"]


class TestFallback:
    def test_prints_a_notice_and_marks_the_claims(self, world, capsys):
        world.mirrors("missing")
        story = load_corpus(fallback="builtin")
        assert story == load_corpus("builtin")
        out = capsys.readouterr().out
        assert re.fullmatch(
            r"Notice: The Time Machine could not be had \(http://\S+: "
            r"HTTPError\); the built-in text is used instead\.\n",
            out,
        )
        claims.claim("not checked", False, corpus=True)

    def test_is_not_used_without_need(self, world, capsys):
        corpus._loaded_the_book = False
        world.mirrors("serve")
        assert load_corpus(fallback="builtin") == BOOK.decode()
        assert capsys.readouterr().out == ""
        with pytest.raises(claims.ClaimError):
            claims.claim("checked again", False, corpus=True)

    def test_does_not_hide_a_wrong_data_folder(
        self, world, monkeypatch, tmp_path
    ):
        monkeypatch.setenv("UNROLLED_DATA", str(tmp_path))
        with raises(f"UNROLLED_DATA: cannot read {tmp_path}/timemachine.txt"):
            load_corpus(fallback="builtin")


class TestDataFolder:
    def test_wins_over_the_cache_and_is_checked(
        self, world, monkeypatch, tmp_path
    ):
        monkeypatch.setenv("UNROLLED_DATA", str(tmp_path))
        (tmp_path / corpus.FILE_NAME).write_bytes(BOOK)
        world.mirrors("serve")
        assert load_corpus() == BOOK.decode()
        assert world.asked == []
        (tmp_path / corpus.FILE_NAME).write_bytes(BOOK + b"!")
        with raises(
            f"UNROLLED_DATA: {tmp_path}/timemachine.txt is not the text that "
            f"the course was made with (its sha256 is not {corpus.SHA256}); "
            "get it again, or unset UNROLLED_DATA"
        ):
            load_corpus()

    def test_empty_means_unset(self, world, monkeypatch):
        monkeypatch.setenv("UNROLLED_DATA", "")
        world.mirrors("serve")
        assert load_corpus() == BOOK.decode()

    @pytest.mark.skipif(not REAL, reason="UNROLLED_DATA is not set")
    def test_the_real_text(self):
        text = load_corpus()
        assert len(text) == 178_979
        assert text.startswith("The Time Machine, by H. G. Wells [1898]")


class TestOwnFile:
    def test_is_read_as_it_is(self, tmp_path):
        file = tmp_path / "own.txt"
        file.write_bytes("Время\r\nидёт".encode())
        assert load_corpus(path=file) == "Время\r\nидёт"
        assert load_corpus(path=str(file)) == "Время\r\nидёт"
        try:
            claims.claim("about the book", False, corpus=True)
        finally:
            corpus._loaded_the_book = True

    def test_the_book_itself_by_path_is_the_book(self, world, tmp_path):
        file = tmp_path / "own.txt"
        file.write_bytes(BOOK)
        corpus._loaded_the_book = False
        assert load_corpus(path=file) == BOOK.decode()
        with pytest.raises(claims.ClaimError):
            claims.claim("about the book", False, corpus=True)

    def test_the_home_folder(self, tmp_path, monkeypatch):
        monkeypatch.setenv("HOME", str(tmp_path))
        (tmp_path / "own.txt").write_text("abc")
        assert load_corpus(path="~/own.txt") == "abc"

    def test_no_text(self, tmp_path):
        file = tmp_path / "own.txt"
        file.write_bytes(b" \n")
        with raises(f"path '{file}' holds no text; choose another file"):
            load_corpus(path=file)
        file.write_text("abc", "utf-16-le")
        with raises(
            f"path '{file}' holds NUL characters, as UTF-16 or a file that "
            "is no text does; save it as UTF-8 first"
        ):
            load_corpus(path=file)

    def test_a_byte_order_mark_is_no_letter(self, tmp_path):
        file = tmp_path / "own.txt"
        file.write_bytes(b"\xef\xbb\xbfabc")
        assert load_corpus(path=file) == "abc"

    def test_missing(self, tmp_path):
        with raises(
            f"path: cannot read {tmp_path}/no.txt (No such file or directory)"
            "; check the name, or leave it out to let the course find the text"
        ):
            load_corpus(path=tmp_path / "no.txt")

    def test_not_utf_8(self, tmp_path):
        file = tmp_path / "latin.txt"
        file.write_bytes(b"caf\xe9")
        with raises(
            f"path '{file}' is not UTF-8 (byte 3 is 0xe9); save it as UTF-8 "
            "first"
        ):
            load_corpus(path=file)


class TestNames:
    def test_builtin_needs_nothing(self, world):
        world.mirrors()
        assert load_corpus("builtin").startswith("THE HUNTING TOOTH\n")
        claims.claim("not checked", False, corpus=True)


def test_before_any_text_the_book_is_meant():
    fresh = runpy.run_path(corpus.__file__)
    assert fresh["text_is_the_book"]() is True


class TestSplit:
    @pytest.mark.parametrize("n", [10, 11, 19, 99, 1000])
    def test_parts_are_the_text(self, n):
        text = list(range(n))
        train, valid, test = split(text)
        assert train + valid + test == text
        assert len(train) == math.floor(0.8 * n + 1e-9)
        assert len(train) + len(valid) == math.floor(0.9 * n + 1e-9)
        assert len(test) >= 1
        assert len(valid) >= 1

    def test_any_sequence(self):
        assert split("abcdefghijkl") == ("abcdefghi", "j", "kl")
        assert [len(p) for p in split(torch.arange(20))] == [16, 2, 2]

    @pytest.mark.skipif(
        os.environ.get("_UNROLLED_CORPUS_MODE") != "book",
        reason="the book is not at hand",
    )
    def test_the_boundaries_of_the_book(self):
        stream = character_stream(load_corpus())
        assert [len(part) for part in split(stream)] == [
            138_741,
            17_343,
            17_343,
        ]


def sentences(text):
    joined = " ".join(text.split())
    parts = [p.strip(" \"'-") for p in re.split(r"[.!?]+", joined)]
    return [p.lower() for p in parts if len(p.split()) > 1]


def statistics(words):
    """Share of distinct trigrams, share of hapax words, Zipf slope."""
    trigrams = list(zip(words, words[1:], words[2:], strict=False))
    counts = Counter(words)
    frequencies = np.array(sorted(counts.values(), reverse=True))[:500]
    ranks = np.arange(1, len(frequencies) + 1)
    slope = np.polyfit(np.log(ranks), np.log(frequencies), deg=1)[0]
    hapax = sum(n == 1 for n in counts.values()) / len(counts)
    return np.array([len(set(trigrams)) / len(trigrams), hapax, -slope])


def cleaned_words(text):
    return [w for line in tokenize(clean_lines(text)) for w in line]


class TestStory:
    story = load_corpus("builtin")

    def test_is_long_and_plain(self):
        assert len(self.story) >= 30_000
        assert self.story.isascii()
        assert max(map(len, self.story.splitlines())) <= 80
        letters = set("".join(clean_lines(self.story)))
        assert letters == set("abcdefghijklmnopqrstuvwxyz ")

    def test_says_no_sentence_twice(self):
        found = sentences(self.story)
        assert len(found) > 300
        twice = [s for s, n in Counter(found).items() if n > 1]
        assert twice == []

    def test_has_the_statistics_of_prose(self):
        """Bounds that hold for English stories of this length."""
        distinct, hapax, slope = statistics(cleaned_words(self.story))
        assert 0.9 < distinct < 1
        assert 0.45 < hapax < 0.75
        assert 0.7 < slope < 1.2

    @pytest.mark.skipif(not REAL, reason="UNROLLED_DATA is not set")
    def test_is_like_an_equally_long_slice_of_the_book(self):
        ours = cleaned_words(self.story)
        book = cleaned_words((Path(REAL) / corpus.FILE_NAME).read_text())
        theirs = book[2000 : 2000 + len(ours)]
        ratio = statistics(ours) / statistics(theirs)
        assert (np.abs(ratio - 1) < 0.25).all(), ratio

    def test_statistics_notice_a_text_that_repeats_itself(self):
        words = cleaned_words(self.story)[:200] * 36
        distinct, hapax, _ = statistics(words)
        assert distinct < 0.1
        assert hapax == 0


class TestHomes:
    def test_a_tilde_in_the_cache_is_the_home(self, world, monkeypatch):
        monkeypatch.setenv("HOME", str(world.cache.parent))
        monkeypatch.setenv("UNROLLED_CACHE", f"~/{world.cache.name}")
        monkeypatch.chdir(world.cache.parent)
        world.mirrors("serve")
        assert load_corpus() == BOOK.decode()
        assert world.file.read_bytes() == BOOK
        assert not Path("~").exists()

    def test_a_home_that_is_not_there(self, world, monkeypatch):
        monkeypatch.setenv("UNROLLED_CACHE", "~nobody-of-this-name")
        with raises(
            "UNROLLED_CACHE: '~nobody-of-this-name' names a home that cannot "
            "be found; give the whole path"
        ):
            load_corpus()

"""Published files: fetched from a server, held to their digests, named when they are missing."""

import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from synthbench.errors import DataError
from synthbench.progress import Progress
from synthbench.storage.weights import WeightFile, offline, provide, sha256_of, weights_folder

CONTENT = b"weights " * 300_000  # more than one block
DIGEST = hashlib.sha256(CONTENT).hexdigest()


class Hub(BaseHTTPRequestHandler):
    """/good gives CONTENT, /short breaks off, anything else is not there."""

    def do_GET(self):
        self.server.asked.append(self.path)
        if self.path not in ("/good", "/short"):
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        self.wfile.write(CONTENT if self.path == "/good" else CONTENT[:1000])

    def log_message(self, *_):
        pass


@pytest.fixture
def hub():
    with ThreadingHTTPServer(("127.0.0.1", 0), Hub) as server:
        server.asked = []
        server.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("SYNTHBENCH_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.delenv("SYNTHBENCH_OFFLINE", raising=False)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    return tmp_path / "weights"


def held(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_the_folder_is_the_variables_or_beside_the_store(folder, tmp_path, monkeypatch):
    assert weights_folder() == folder
    monkeypatch.delenv("SYNTHBENCH_WEIGHTS")
    monkeypatch.setenv("SYNTHBENCH_CACHE", str(tmp_path / "cache"))
    assert weights_folder() == tmp_path / "cache" / "weights"


@pytest.mark.parametrize(("value", "expected"), [("1", True), ("yes", True), ("0", False), ("", False)])
def test_offline_is_a_variable(value, expected, monkeypatch):
    monkeypatch.setenv("SYNTHBENCH_OFFLINE", value)
    assert offline() == expected


@pytest.mark.parametrize("pin", [DIGEST, DIGEST[:8], ""])
def test_a_missing_file_is_fetched_once(hub, folder, pin):
    file = WeightFile("a/b.pth", f"{hub.url}/good", pin)
    assert provide([file], Progress(False)) == [DIGEST]
    assert file.path == folder / "a/b.pth"
    assert file.path.read_bytes() == CONTENT
    assert provide([file], Progress(False)) == [DIGEST]
    assert hub.asked == ["/good"]
    assert held(folder) == ["a/b.pth"]


def test_with_a_progress_bar(hub, capsys):
    provide([WeightFile("b.pth", f"{hub.url}/good")], Progress(True))
    assert "good" in capsys.readouterr().err


def test_another_content_is_refused_and_not_kept(hub, folder):
    with pytest.raises(DataError, match=f"gave another file: SHA-256 {DIGEST}, expected 00ff; nothing was kept"):
        provide([WeightFile("b.pth", f"{hub.url}/good", "00ff")], Progress(False))
    assert held(folder) == []


@pytest.mark.parametrize("pin", [DIGEST, ""])
def test_half_a_file_is_not_kept(hub, folder, pin):
    with pytest.raises(DataError, match="1000 of 2400000 bytes came"):
        provide([WeightFile("b.pth", f"{hub.url}/short", pin)], Progress(False))
    assert held(folder) == []


def test_no_such_file_no_such_server(hub, folder):
    files = [WeightFile("b.pth", f"{hub.url}/gone"), WeightFile("c.pth", "http://127.0.0.1:9/x")]
    with pytest.raises(DataError) as error:
        provide(files, Progress(False))
    first, second = str(error.value).splitlines()
    assert "HTTPError: HTTP Error 404" in first
    assert f"put it at {folder / 'c.pth'}" in second


def test_a_changed_file_is_fetched_again_and_kept_beside_it(hub, folder, capsys, monkeypatch):
    file = WeightFile("b.pth", f"{hub.url}/good", DIGEST)
    provide([file], Progress(False))
    file.path.write_bytes(CONTENT[:5])
    assert provide([file], Progress(False)) == [DIGEST]
    assert f"{file.path} is not the published file, or damaged: it is fetched again" in capsys.readouterr().out
    assert file.path.read_bytes() == CONTENT
    assert (folder / "b.pth.damaged").read_bytes() == CONTENT[:5]  # it may be someone's own
    assert hub.asked == ["/good", "/good"]
    file.path.write_bytes(CONTENT + b"!")
    monkeypatch.setenv("SYNTHBENCH_OFFLINE", "1")
    with pytest.raises(DataError, match=f"its SHA-256 is {sha256_of(file.path)}, expected {DIGEST}; delete it"):
        provide([file], Progress(False))


def test_offline_names_every_missing_file_and_asks_no_one(hub, folder, monkeypatch):
    monkeypatch.setenv("SYNTHBENCH_OFFLINE", "1")
    files = [WeightFile("b.pth", f"{hub.url}/good", DIGEST[:8]), WeightFile("c.pth", f"{hub.url}/good")]
    with pytest.raises(DataError) as error:
        provide(files, Progress(False))
    first, second = str(error.value).splitlines()
    assert first == (
        f"{folder / 'b.pth'} is missing: it comes from {hub.url}/good, SHA-256 {DIGEST[:8]}...; "
        "`synthbench fetch` gets it"
    )
    assert str(folder / "c.pth") in second
    assert hub.asked == []
    folder.mkdir()
    (folder / "b.pth").write_bytes(CONTENT)
    assert provide(files[:1], Progress(False)) == [DIGEST]

"""A real ClickHouse engine behind enough of its HTTP interface for clickhouse-connect.

Run as `python http_front.py FOLDER`: a process of its own that holds an embedded engine on FOLDER,
prints its port, and answers queries, settings, bound parameters and inserts with the compression
the client asks for. `POST /fault` with a JSON object makes it misbehave:

    {"down": n}        close the next n connections without reading
    {"slow": seconds}  wait that long before each answer
    {"cut": n}         lose the second half of the next n inserts on the way to the engine
    {"mute": n}        carry out the next n inserts, and close without an answer
    {"twice": n}       carry out the next n inserts two times, as a retrying proxy does
    {"again": n}       keep the next n inserts and carry them out once more at {"replay": 1}
    {"refuse": n}      answer the next n requests with an error of the engine
"""

import contextlib
import gzip
import json
import re
import sys
import tempfile
import threading
import time
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import chdb
import lz4.frame
import zstandard

NOT_SETTINGS = {
    "query",
    "database",
    "wait_end_of_query",
    "enable_http_compression",
    "client_protocol_version",
    "send_progress_in_http_headers",
    "http_headers_progress_interval_ms",
    "session_id",
    "query_id",
    "buffer_size",
    "compress",
}
READ_ONLY = ("SELECT", "WITH", "SHOW", "DESCRIBE", "EXISTS")


class Engine:
    """The one engine, one statement at a time."""

    def __init__(self, folder: str) -> None:
        self.connection = chdb.connect(folder)
        self.lock = threading.Lock()
        self.faults: dict[str, float] = {}
        self.kept: list[tuple[str, dict[str, str], bytes]] = []

    def takes(self, fault: str) -> bool:
        """Use up one of a counted fault."""
        with self.lock:
            left = self.faults.get(fault, 0)
            self.faults[fault] = max(0, left - 1)
            return left > 0

    def run(self, query: str, settings: dict[str, str], parameters: dict[str, str]) -> bytes:
        """A statement without data."""
        head = query.strip().split(None, 1)[0].upper()
        if settings and head in READ_ONLY:
            body, mark, format_ = query.rpartition("FORMAT ")
            body, tail = (body, mark + format_) if mark else (query, "")
            query = f"{body} SETTINGS {clause(settings)} {tail}"
        with self.lock:
            return bytes(self.connection.query(query, "TabSeparated", params=parameters).bytes())

    def insert(self, query: str, settings: dict[str, str], data: bytes) -> None:
        """`INSERT INTO ... FORMAT Native` or Arrow with its data."""
        into, _, format_ = query.strip().rpartition("FORMAT ")
        with tempfile.NamedTemporaryFile(suffix=".native") as file:
            file.write(data)
            file.flush()
            how = f" SETTINGS {clause(settings)}" if settings else ""
            with self.lock:
                statement = f"{into} FROM INFILE '{file.name}'{how} FORMAT {format_}"
                self.connection.query(statement, "TabSeparated")


def statement_and_data(query: str, body: bytes) -> tuple[str, bytes]:
    """Query and body are one text; what follows the format of an insert is data."""
    whole = (query.encode() + b"\n" if query else b"") + body
    if whole.lstrip()[:6].upper() == b"INSERT":
        found = re.search(rb"FORMAT (Native|Arrow)\s", whole)
        if found is not None:
            return whole[: found.end()].decode(), whole[found.end() :]
    return whole.decode(), b""


def clause(settings: dict[str, str]) -> str:
    return ", ".join(f"{name} = '{value}'" for name, value in sorted(settings.items()))


def decompressed(data: bytes, encoding: str) -> bytes:
    if encoding == "lz4":
        return bytes(lz4.frame.decompress(data))
    if encoding == "zstd":
        return zstandard.ZstdDecompressor().decompressobj().decompress(data)
    if encoding == "gzip":
        return gzip.decompress(data)
    return zlib.decompress(data) if encoding == "deflate" else data


def compressed(data: bytes, accepted: str) -> tuple[bytes, str]:
    """As the client prefers: the first it names that we know."""
    for name in (word.strip().split(";")[0] for word in accepted.split(",")):
        if name == "lz4":
            return lz4.frame.compress(data), name
        if name == "zstd":
            return zstandard.ZstdCompressor().compress(data), name
        if name == "gzip":
            return gzip.compress(data), name
    return data, ""


class Front(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # headers and body are two writes; do not wait between them
    engine: Engine

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        self.do_POST()

    def do_POST(self) -> None:
        if self.path == "/fault":
            return self.set_fault()
        if self.engine.takes("down"):
            return self.hang_up()
        body = self.read_body()
        time.sleep(self.engine.faults.get("slow", 0))
        given = dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))
        query, data = statement_and_data(given.get("query", ""), body)
        settings = {k: v for k, v in given.items() if k not in NOT_SETTINGS and k[:6] != "param_"}
        parameters = {k[6:]: v for k, v in given.items() if k[:6] == "param_"}
        try:
            if self.engine.takes("refuse"):
                raise RuntimeError("Code: 241. DB::Exception: memory (MEMORY_LIMIT_EXCEEDED)")
            is_insert = query.lstrip().upper().startswith("INSERT") and data
            answer = b"" if is_insert else self.engine.run(query, settings, parameters)
            if is_insert and not self.insert(query, settings, data):
                return self.hang_up()
        except Exception as error:
            return self.answer(500, str(error).encode(), code=error_code(str(error)))
        self.answer(200, answer, encoded=given.get("enable_http_compression") == "1")

    def insert(self, query: str, settings: dict[str, str], data: bytes) -> bool:
        """Carry out an insert with its faults; False when no answer may follow."""
        if self.engine.takes("cut"):
            with contextlib.suppress(Exception):
                self.engine.insert(query, settings, data[: len(data) // 2])
            return False
        self.engine.insert(query, settings, data)
        if self.engine.takes("twice"):
            self.engine.insert(query, settings, data)
        if self.engine.takes("again"):
            self.engine.kept.append((query, settings, data))
        return not self.engine.takes("mute")

    def set_fault(self) -> None:
        wanted = json.loads(self.read_body())
        if wanted.pop("replay", 0):
            while self.engine.kept:
                self.engine.insert(*self.engine.kept.pop(0))
        self.engine.faults = {**wanted}
        self.answer(200, b"")

    def read_body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "") == "chunked":
            parts = []
            while size := int(self.rfile.readline().strip() or b"0", 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            body = b"".join(parts)
        else:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        return decompressed(body, self.headers.get("Content-Encoding", ""))

    def answer(self, status: int, body: bytes, code: str = "", encoded: bool = False) -> None:
        encoding = ""
        if encoded and body:
            body, encoding = compressed(body, self.headers.get("Accept-Encoding", ""))
        self.send_response(status)
        if encoding:
            self.send_header("Content-Encoding", encoding)
        if code:
            self.send_header("X-ClickHouse-Exception-Code", code)
        self.send_header("X-ClickHouse-Summary", "{}")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def hang_up(self) -> None:
        self.close_connection = True
        self.connection.close()


def error_code(text: str) -> str:
    return text.partition("Code: ")[2].partition(".")[0] or "1000"


def main(folder: str) -> None:
    Front.engine = Engine(folder)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Front)
    server.daemon_threads = True
    # Whoever started it ends it by closing its standard input.
    threading.Thread(target=lambda: (sys.stdin.read(), server.shutdown()), daemon=True).start()
    print(server.server_address[1], flush=True)
    server.serve_forever(poll_interval=0.05)
    server.server_close()
    Front.engine.connection.close()


if __name__ == "__main__":
    Path(sys.argv[1]).mkdir(parents=True, exist_ok=True)
    main(sys.argv[1])

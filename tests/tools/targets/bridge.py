"""
A socket for openai-responses, which is no server but a mock inside a process; run by the interpreter that has it.

It adds nothing: a request goes to the mock's own router, and what that raises is answered as any server would.
"""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock

import httpx
from openai_responses import OpenAIMock
from respx.models import AllMockedAssertionError

_BASE = "https://api.openai.com"
_LOCK = Lock()
_ROUTER = OpenAIMock().router


class Bridge(BaseHTTPRequestHandler):
    """Hands on every request, one at a time."""

    protocol_version = "HTTP/1.1"

    def _hand_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        headers = [(name, value) for name, value in self.headers.items() if name.lower() != "host"]
        request = httpx.Request(self.command, f"{_BASE}{self.path}", headers=headers, content=body)
        try:
            with _LOCK:
                answer = _ROUTER.handler(request)
        except AllMockedAssertionError:
            answer = httpx.Response(404)
        except Exception as problem:  # noqa: BLE001 - whatever the mock raises would be its server's own fault
            answer = httpx.Response(500, text=f"{type(problem).__name__}: {problem}")
        content = answer.read()
        self.send_response(answer.status_code)
        self.send_header("content-type", answer.headers.get("content-type", "application/json"))
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_DELETE = do_GET = do_HEAD = do_PATCH = do_POST = do_PUT = _hand_on

    def log_message(self, *_: object) -> None:
        """Say nothing."""


if __name__ == "__main__":
    with ThreadingHTTPServer(("127.0.0.1", 0), Bridge) as server:
        print(f"bridge at http://127.0.0.1:{server.server_port}/v1", flush=True)
        server.serve_forever()

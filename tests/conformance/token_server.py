"""A server on loopback that renews OAuth tokens, each refresh token once: as a provider does that rotates them."""

from __future__ import annotations

import base64
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class TokenServer:
    """It renews `refresh-N` into `refresh-N+1`; a token that was used before is refused."""

    def __init__(self) -> None:
        self.latest = 1
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}/oauth/token"

    def close(self) -> None:
        """It listens no more."""
        self._http.shutdown()
        self._http.server_close()

    def renew(self, refresh_token: str) -> dict[str, Any] | None:
        """New tokens, or None where that token is not the latest."""
        if refresh_token != f"refresh-{self.latest}":
            return None
        self.latest += 1
        return tokens(self.latest, expires_in=3600)


def tokens(number: int, *, expires_in: float) -> dict[str, Any]:
    """The tokens of one login, as a token endpoint words them."""
    account = {"email": "a@example.org", "https://api.openai.com/auth": {"chatgpt_account_id": "account"}}
    return {
        "id_token": _jwt(account),
        "access_token": _jwt({"exp": int(time.time() + expires_in), "number": number}),
        "refresh_token": f"refresh-{number}",
    }


def _jwt(payload: dict[str, Any]) -> str:
    parts = [json.dumps(part).encode() for part in ({"alg": "none"}, payload)]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in [*parts, b"signed"])


def _handler(server: TokenServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Nothing: stderr belongs to whoever runs the tests."""

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers.get("content-length") or 0)))
            renewed = server.renew(asked["refresh_token"])
            body = json.dumps(renewed or {"error": {"code": "refresh_token_reused"}}).encode()
            self.send_response(401 if renewed is None else 200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return Handler

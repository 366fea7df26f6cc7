"""Real servers on loopback that take what is sent: mail over SMTP, and JSON over HTTP."""

import socketserver
import ssl
import threading
from collections.abc import Callable, Mapping
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple, Self, cast

import orjson


class Mail(NamedTuple):
    """One mail as it came."""

    recipients: list[str]
    message: EmailMessage

    @property
    def subject(self) -> str:
        return str(self.message["Subject"])

    @property
    def text(self) -> str:
        body = self.message.get_body(("plain",))
        assert body is not None
        return str(body.get_content())


class _SmtpTalk(socketserver.StreamRequestHandler):
    """RFC 5321, as much as a client needs that hands over one mail."""

    server: "MailServer"

    def handle(self) -> None:
        self._say("220 test")
        recipients: list[str] = []
        while line := self.rfile.readline().decode().strip():
            verb = line[:4].upper()
            if verb == "RCPT":
                address = line.partition("<")[2].rpartition(">")[0]
                if address in self.server.unknown:
                    self._say("550 nobody here of that name")
                    continue
                recipients.append(address)
                self._say("250 ok")
            elif verb == "DATA":
                self._say("354 go on")
                data = b""
                while not data.endswith(b"\r\n.\r\n"):
                    data += self.rfile.readline()
                message = message_from_bytes(data[:-5].replace(b"\r\n", b"\n"), policy=policy.default)
                self.server.mails.append(Mail(recipients, message))
                recipients = []
                self._say("250 taken")
            elif verb == "QUIT":
                self._say("221 bye")
                return
            else:
                self._say("250 ok")

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


class MailServer(socketserver.ThreadingTCPServer):
    """Takes mail, but not for addresses that it calls unknown."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _SmtpTalk)
        self.mails: list[Mail] = []
        self.unknown: set[str] = set()
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def url(self) -> str:
        """For apprise; one mail goes to the address."""
        host, port = self.server_address[:2]
        return f"mailto://{host!s}:{port}/?from=desk@campus.test&to={{address}}&mode=insecure"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()


class Post(NamedTuple):
    """One POST as it came."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def document(self) -> dict[str, object]:
        return cast("dict[str, object]", orjson.loads(self.body))


class Answer(NamedTuple):
    """What the server says."""

    status: int = 200
    body: bytes = b"{}"
    headers: Mapping[str, str] = {}


class _HttpTalk(BaseHTTPRequestHandler):
    server: "HttpServer"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        post = Post(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
        self.server.posts.append(post)
        answer = self.server.answer(post)
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


class HttpServer(ThreadingHTTPServer):
    """Takes POSTs; `answer` says what becomes of each."""

    daemon_threads = True

    def __init__(self, port: int = 0, *, context: ssl.SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", port), _HttpTalk)
        if context is not None:
            self.socket = context.wrap_socket(self.socket, server_side=True)
        self.posts: list[Post] = []
        self.answer: Callable[[Post], Answer] = lambda _: Answer()
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def handle_error(self, *_: object) -> None:
        """Who hangs up while we answer is a part of some tests."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()

"""The daemon's own HTTP address: /metrics for Prometheus, /healthz and /readyz for supervisors, /live for pages."""

import threading
from collections.abc import Callable, Iterable
from socketserver import TCPServer, ThreadingMixIn
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import orjson
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import make_wsgi_app

from collector.errors import CollectorError
from collector.telemetry import Exporter

if TYPE_CHECKING:
    from collector.daemon import Daemon

_PAGES = "/metrics /healthz /readyz /live"


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True

    def server_bind(self) -> None:
        """Binds without asking the name server what this machine is called, which may take long at boot."""
        TCPServer.server_bind(self)
        host, self.server_port = self.server_address[:2]
        self.server_name = str(host)
        self.setup_environ()


class _Quiet(WSGIRequestHandler):
    timeout = 10  # a peer that sends nothing does not keep a thread

    def log_message(self, *_args: object) -> None:
        """Requests are no news."""


class HttpServer:
    """Serves in a thread of its own.

    Raises:
        CollectorError: the address cannot be used.
    """

    def __init__(self, listen: str, daemon: "Daemon") -> None:
        self._daemon = daemon
        registry = CollectorRegistry()
        registry.register(Exporter(daemon))
        self._metrics: Callable[..., Iterable[bytes]] = make_wsgi_app(registry)
        host, _, port = listen.rpartition(":")
        try:
            self._server = make_server(host, int(port), self._answer, _Server, _Quiet)
        except OSError as error:
            raise CollectorError(
                f"http.listen: cannot listen on {listen}: {error.strerror}; "
                "another Siteward may be running, or choose another port in siteward.yaml",
            ) from error
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), name="http", daemon=True)

    @property
    def address(self) -> str:
        """Where it really listens, also where the port was left to the system."""
        host, port = self._server.server_address[:2]
        return f"{host!s}:{port}"

    def start(self) -> None:
        """Begins to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Ends within a fraction of a second."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(1)

    def _answer(self, environ: dict[str, Any], respond: Callable[..., Any]) -> Iterable[bytes]:
        match environ["PATH_INFO"]:
            case "/metrics":
                return self._metrics(environ, respond)
            case "/healthz":
                return self._report(respond, self._daemon.ailments())
            case "/readyz":
                return self._report(respond, self._daemon.obstacles())
            case "/live":
                return self._send(respond, "200 OK", self._daemon.live())
            case _:
                return self._send(respond, "404 Not Found", {"error": f"here are {_PAGES}"})

    def _report(self, respond: Callable[..., Any], problems: list[str]) -> Iterable[bytes]:
        status = "503 Service Unavailable" if problems else "200 OK"
        return self._send(respond, status, {"good": not problems, "problems": problems})

    @staticmethod
    def _send(respond: Callable[..., Any], status: str, body: object) -> Iterable[bytes]:
        respond(status, [("Content-Type", "application/json"), ("Cache-Control", "no-store")])
        return [orjson.dumps(body, option=orjson.OPT_APPEND_NEWLINE)]

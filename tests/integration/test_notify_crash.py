"""A courier that is killed after it sent and before it noted that: the message comes again, as the same message."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

from tests.tickets.notify.courierbench import CourierBench, read_secret
from tests.tickets.notify.receivers import Answer, HttpServer, Post
from tickets.notify.messenger import Messenger
from tickets.notify.webhook import Webhook

_COURIER = """
import sys
from pathlib import Path
from tests.integration.test_notify_crash import make_bench
bench = make_bench(Path(sys.argv[1]), int(sys.argv[2]))
bench.clock.pass_("1m")
bench.courier.step()
"""


def make_bench(folder: Path, port: int) -> CourierBench:
    """A desk on the same file in both processes, with a webhook and a room."""
    bench = CourierBench(folder)
    bench.channels["cmms"] = Webhook("cmms", f"http://127.0.0.1:{port}/cmms", read_secret, answer="number")
    bench.channels["room"] = Messenger("room", lambda: f"json://127.0.0.1:{port}/room", room=True)
    return bench


def test_a_courier_that_is_killed_sends_the_same_again(tmp_path: Path) -> None:
    with HttpServer() as server:
        bench = make_bench(tmp_path, server.port)
        bench.do("open", "silent")
        for path in ("/room", "/cmms"):
            _kill_when_it_sends_to(path, tmp_path, server)
        assert bench.states() == ["waiting", "sent"]  # the second courier sent the room's again, and noted it
        bench.clock.pass_("1m")
        bench.courier.step()
        bench.courier.step()
        assert set(bench.states()) == {"sent"}
        work_orders = [post for post in server.posts if post.path == "/cmms"]
        assert [post.headers["webhook-id"] for post in work_orders] == ["site-1", "site-1"]
        room = [post.document["message"] for post in server.posts if post.path == "/room"]
        assert len(room) == 2
        assert room[0] == room[1]
        assert [event.kind for event in bench.desk.show("1").events] == ["opened", "referenced"]
        bench.courier.close()
        bench.database.close()


def _kill_when_it_sends_to(path: str, folder: Path, server: HttpServer) -> None:
    started = threading.Event()

    def kill(post: Post) -> Answer:
        if post.path == path:
            started.wait()
            os.kill(child.pid, signal.SIGKILL)
            child.wait()
        return Answer(200, b'{"number": "WO-1"}')

    server.answer = kill
    child = subprocess.Popen([sys.executable, "-c", _COURIER, str(folder), str(server.port)])
    started.set()
    assert child.wait(60) == -signal.SIGKILL
    server.answer = lambda _: Answer(200, b'{"number": "WO-1"}')

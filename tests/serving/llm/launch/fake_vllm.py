"""A program that is called like ``vllm serve`` and answers like it, for tests of starting.

It listens on 127.0.0.1, lists the served model to who has the key, writes down what it was started
with, and ends on SIGTERM. It lives at most a minute.
"""

PROGRAM = """#!{python}
import json, os, signal, sys, threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

words = sys.argv[1:]
value = lambda name: words[words.index(name) + 1]
with open({seen!r} + "." + value("--port"), "w") as file:
    json.dump({{"argv": words, "environment": dict(os.environ)}}, file)
if {dies!r}:
    sys.exit(7)


class Answer(BaseHTTPRequestHandler):
    def do_GET(self):
        allowed = self.headers.get("Authorization") == "Bearer " + os.environ["VLLM_API_KEY"]
        status = 200 if allowed or self.path == "/health" else 401
        body = json.dumps({{"data": [{{"id": value("--served-model-name")}}]}}).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words):
        pass


if {silent!r}:
    threading.Event().wait(60)
server = ThreadingHTTPServer((value("--host"), int(value("--port"))), Answer)
signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
signal.alarm(60)
server.serve_forever(poll_interval=0.05)
print("ended in order", flush=True)
"""

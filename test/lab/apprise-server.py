"""The stateful call of the Apprise API, POST /notify/KEY, on the real Apprise library. Usage: PORT KEY=URL ..."""
import http.server
import json
import sys

import apprise

PLACES = dict(argument.split("=", 1) for argument in sys.argv[2:])


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        place = PLACES.get(self.path.removeprefix("/notify/"))
        if place is None:
            self.send_error(404)
            return
        target = apprise.Apprise()
        target.add(place)
        sent = target.notify(
            body=body["body"], title=body["title"], notify_type=body["type"], body_format=body["format"]
        )
        self.send_response(200 if sent else 424)
        self.end_headers()

    def log_message(self, *_):
        pass


http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()

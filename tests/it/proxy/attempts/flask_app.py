"""What Flask reads of a request, and which of its routes takes it; run by itself under the server named first."""
import sys

from flask import Flask, jsonify, request

app = Flask(__name__)
application = app


def tell(route):
    roles = request.args.getlist("role")
    return jsonify(
        route=route,
        path=request.path,
        header=request.headers.get("X-Role"),
        query=",".join(roles) if roles else None,
        cookie=request.cookies.get("role"),
    )


@app.route("/admin", defaults={"rest": ""})
@app.route("/admin/", defaults={"rest": ""})
@app.route("/admin/<path:rest>")
def admin(rest):
    return tell("admin")


@app.route("/", defaults={"rest": ""})
@app.route("/<path:rest>")
def other(rest):
    return tell("other")


def main(server, port):
    if server == "waitress":
        from waitress import serve

        serve(app, host="127.0.0.1", port=port, threads=2)
    else:
        from cheroot.wsgi import Server

        Server(("127.0.0.1", port), app, numthreads=2).start()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))

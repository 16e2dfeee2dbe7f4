// What Express reads of a request, and which of its routes takes it. Arguments: the package, the port.
const [name, port] = process.argv.slice(-2);
const express = require(name);
const { createRequire } = require("module");
// The reader of cookies that Express itself writes them with.
const cookie = createRequire(require.resolve(name))("cookie");

const tell = (route) => (request, answer) => {
  const cookies = cookie.parse(request.headers.cookie || "");
  answer.json({
    route,
    path: decodeURIComponent(request.baseUrl + request.path),
    header: request.get("X-Role") ?? null,
    query: request.query.role === undefined ? null : String(request.query.role),
    cookie: cookies.role ?? null,
  });
};

const app = express();
app.use("/admin", tell("admin"));
app.use(tell("other"));
// A path that cannot be decoded is an error of Express's own.
app.use((error, request, answer, next) => answer.status(400).end());
app.listen(Number(port), "127.0.0.1");

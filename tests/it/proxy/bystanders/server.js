// Node's own HTTP/2 server. It says its port, and serves until its standard input ends.
'use strict';
const http2 = require('http2');

const big = Buffer.alloc(16 << 20, 'x');
const server = http2.createServer({ settings: { maxConcurrentStreams: Number(process.argv[1]) } });

server.on('stream', (stream, headers) => {
  stream.on('error', () => {});
  switch (headers[':path']) {
    case '/big':
      stream.respond({ ':status': 200 });
      return stream.end(big);
    case '/hold':
      return undefined;
    case '/echo':
      stream.respond({ ':status': 200 });
      return stream.pipe(stream);
    default:
      stream.resume();
      return stream.on('end', () => {
        stream.respond({ ':status': 200 });
        stream.end('small');
      });
  }
});
server.on('sessionError', () => {});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
process.stdin.resume().on('end', () => process.exit());

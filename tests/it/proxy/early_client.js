// Sends a body with Node's own client, and prints the status that it gets.
'use strict';
const http = require('http');
const [port, path, mebibytes] = process.argv.slice(1);
const body = Buffer.alloc(Number(mebibytes) << 20);
const headers = { 'Content-Length': body.length };
const request = http.request({ host: '127.0.0.1', port, path, method: 'POST', headers }, (answer) => {
  answer.resume().on('end', () => console.log(answer.statusCode));
});
request.on('error', (error) => console.log(error.code));
request.end(body);

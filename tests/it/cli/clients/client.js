// Sends the request of each line of JSON with Node's own client, and writes the answer as a line of JSON.
'use strict';
const http = require('http');
const lines = require('readline').createInterface({ input: process.stdin });

const agent = new http.Agent({ keepAlive: true });

function ask({ port, method, target, headers, body }) {
  return new Promise((resolve, reject) => {
    const flat = headers.flat();
    const request = http.request({ host: '127.0.0.1', port, method, path: target, headers: flat, agent }, (answer) => {
      const parts = [];
      answer.on('data', (part) => parts.push(part));
      answer.on('end', () => {
        const fields = [];
        for (let at = 0; at < answer.rawHeaders.length; at += 2) fields.push(answer.rawHeaders.slice(at, at + 2));
        resolve({ status: answer.statusCode, fields, body: Buffer.concat(parts).toString('hex') });
      });
      answer.on('error', reject);
    });
    request.on('error', reject);
    request.end(Buffer.from(body, 'hex'));
  });
}

(async () => {
  for await (const line of lines) console.log(JSON.stringify(await ask(JSON.parse(line))));
  agent.destroy();
})();

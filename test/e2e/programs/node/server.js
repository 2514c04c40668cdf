// Tells how many milliseconds the path is: /2h is 7200000.
const { createServer } = require('node:http');
const milliseconds = require('ms');

const server = createServer((request, response) => {
  console.log(`asked ${request.url}`);
  response.end(`${milliseconds(request.url.slice(1))}\n`);
});
server.listen(3000);
process.on('SIGTERM', () => server.close(() => process.exit(0)));

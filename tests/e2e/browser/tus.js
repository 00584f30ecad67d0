// SPDX-License-Identifier: BSD-2-Clause
//
// Uploads a file with tus-js-client, in chunks, aborts after half of them and goes on as a new
// client would: node tus.js CHROMIUM ENDPOINT FILE NAME. Prints JSON: what the client saw.
'use strict';
const fs = require('fs');
const tus = require('tus-js-client');

const [, , , endpoint, file, name] = process.argv;
const size = fs.statSync(file).size;
const seen = { statuses: [], offsets: [] };

function upload(options) {
  return new Promise((resolve, reject) => {
    const up = new tus.Upload(fs.createReadStream(file, { start: 0 }), {
      endpoint, chunkSize: 1 << 20, uploadSize: size, retryDelays: [0, 100, 500],
      metadata: { filename: name, filetype: 'application/x-test' },
      onAfterResponse: (req, res) => { seen.statuses.push([req.getMethod(), res.getStatus()]); },
      onError: reject,
      onSuccess: () => resolve(up.url),
      onChunkComplete: (chunk, accepted) => {
        seen.offsets.push(accepted);
        if (options.stopAt && accepted >= options.stopAt) up.abort().then(() => resolve(up.url));
      },
      uploadUrl: options.url,
    });
    up.start();
  });
}

upload({ stopAt: size / 2 })
  .then((url) => upload({ url }))
  .then((url) => { console.log(JSON.stringify({ ...seen, url })); })
  .catch((e) => { console.error(String(e)); process.exit(1); });

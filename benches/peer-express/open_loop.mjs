// An open loop: requests begin at their times, whether or not those before them have been answered, so that a server
// that stalls is charged for everybody who waited. Reads what to do as JSON from its input, writes what came out.
import autocannon from "autocannon";
import { text } from "node:stream/consumers";

const { url, path, cookie, connections, rate, seconds, writeEvery, product } = JSON.parse(await text(process.stdin));
const read = { method: "GET", path, headers: { cookie, "accept-encoding": "gzip, deflate, br, zstd" } };
let stock = 0;
const write = {
  method: "PATCH",
  path: "/api/vendor/products/bulk",
  setupRequest: (request) => ({
    ...request,
    headers: { cookie, "content-type": "application/json" },
    // Another number each time: a write that changes nothing would cost less.
    body: JSON.stringify({ productIds: [product], changes: { stock: 1000 + (stock++ % 100000) } }),
  }),
};
const requests = writeEvery ? [...Array(writeEvery - 1).fill(read), write] : [read];
const result = await autocannon({ url, connections, duration: seconds, overallRate: rate || undefined, requests });
const { latency, requests: sent, errors, timeouts, non2xx } = result;
console.log(
  JSON.stringify({
    rate: sent.average, p50: latency.p50, p99: latency.p99, p999: latency.p99_9, most: latency.max,
    errors: errors + timeouts, refused: non2xx, statuses: result.statusCodeStats,
  }),
);

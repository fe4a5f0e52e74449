// How long people wait for the console: until the Standing page shows its figures, and for tiles while the map is moved.
//
//   benches/console.sh
//
// The server is a release build with a country in it; it has answered the same questions once before (the first time it
// makes its books).

import { browser, goTo, logIn, open, settled } from '../tests/browser/support.mjs';

const rank = (numbers, share) => [...numbers].sort((a, b) => a - b)[Math.min(numbers.length - 1, Math.floor(numbers.length * share))];
const round = (number) => Math.round(number * 10) / 10;

const page = await open();
await logIn(page, process.env.CONSOLE_LOGIN);
await goTo(page, '/standing');
await page.locator('.comparison tr.strong td').first().waitFor();

/** From the request for the page until its figures stand there. */
async function standing() {
  await page.reload({ waitUntil: 'commit' });
  return page.evaluate(
    () =>
      new Promise((done) => {
        const look = () => {
          const cell = document.querySelector('.comparison tr.strong td');
          if (cell?.textContent.includes('km²')) requestAnimationFrame(() => done(performance.now()));
          else requestAnimationFrame(look);
        };
        look();
      }),
  );
}

const paints = [];
for (let turn = 0; turn < 11; turn++) paints.push(await standing());

await goTo(page, '/map?basis=provisional');
await page.waitForSelector('.maplibregl-canvas');
await settled(page);
await page.evaluate(() => performance.setResourceTimingBufferSize(100_000));
const canvas = await page.locator('.map-canvas').boundingBox();
const middle = { x: canvas.x + canvas.width / 2, y: canvas.y + canvas.height / 2 };
// Six to the right, two down, six to the left: tiles that were not there before.
const WAY = [...Array(6).fill([-1, 0]), [0, -1], [0, -1], ...Array(6).fill([1, 0])];
const zooms = [];
const all = [];
for (let closer = 0; closer <= 9; closer++) {
  await page.evaluate(() => performance.clearResourceTimings());
  for (const [right, down] of WAY) {
    await page.mouse.move(middle.x, middle.y);
    await page.mouse.down();
    await page.mouse.move(middle.x + right * 400, middle.y + down * 250, { steps: 6 });
    await page.mouse.up();
    await page.waitForTimeout(400);
  }
  await settled(page);
  const tiles = await page.evaluate(() =>
    performance
      .getEntriesByType('resource')
      .filter(({ name }) => name.includes('/tiles/'))
      .map(({ duration, encodedBodySize, requestStart, responseEnd, serverTiming }) => [
        responseEnd - requestStart,
        encodedBodySize,
        duration,
        serverTiming.find(({ name }) => name === 'tile')?.duration ?? 0,
      ]),
  );
  all.push(...tiles);
  if (tiles.length > 0) {
    const times = tiles.map(([time]) => time);
    zooms.push({
      closer,
      tiles: tiles.length,
      p50_ms: round(rank(times, 0.5)),
      p99_ms: round(rank(times, 0.99)),
      at_the_server_p99_ms: round(rank(tiles.map(([, , , made]) => made), 0.99)),
      with_queue_p99_ms: round(rank(tiles.map(([, , whole]) => whole), 0.99)),
      mean_bytes: Math.round(tiles.reduce((sum, [, bytes]) => sum + bytes, 0) / tiles.length),
    });
  }
  // Back to where there is something, and one zoom closer.
  for (let back = 0; back < 2; back++) {
    await page.mouse.move(middle.x, middle.y);
    await page.mouse.down();
    await page.mouse.move(middle.x, middle.y + 250, { steps: 6 });
    await page.mouse.up();
  }
  await page.click('.maplibregl-ctrl-zoom-in');
  await page.waitForTimeout(1_000);
  await settled(page);
}
const whole = {
  tiles: all.length,
  p99_ms: round(rank(all.map(([time]) => time), 0.99)),
  at_the_server_p99_ms: round(rank(all.map(([, , , made]) => made), 0.99)),
};
const standing_ms = { median: round(rank(paints, 0.5)), worst: round(Math.max(...paints)) };
console.log(JSON.stringify({ standing_ms, map: { whole, zooms } }, null, 2));
await browser.close();

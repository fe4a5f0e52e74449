// Log-in, and what of a session a script could steal.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { accessible, api, close, jsQR, keep, logIn, offences, open, PASSWORD, pageOf, SERVER } from './support.mjs';

after(close);
after(() => assert.deepEqual(offences, []));

/** What each role finds in the console. */
const ROLES = {
  'authority-director': ['Standing', 'Map', 'Review', 'Conflicts', 'Field', 'Admin'],
  'authority-im': ['Standing', 'Map', 'Review', 'Conflicts', 'Field'],
  'authority-qa': ['Standing', 'Map', 'Review', 'Conflicts', 'Field'],
  'hima-manager': ['Standing', 'Map', 'Review', 'Conflicts', 'Field'],
  'hima-supervisor': ['Standing', 'Map', 'Review', 'Conflicts', 'Field'],
  'hima-surveyor-1': ['Map', 'Review'],
  observer: ['Standing', 'Map'],
  admin: ['Field', 'Admin'],
};

test('each role finds its pages', async () => {
  for (const [login, pages] of Object.entries(ROLES)) {
    const page = await pageOf(login);
    const links = await page.locator('.bar nav a').evaluateAll((all) => all.map((link) => link.firstChild.textContent));
    assert.deepEqual(links, pages, login);
    await page.context().close();
  }
});

test('a wrong password says so', async () => {
  const page = await open();
  await page.goto(SERVER);
  await accessible(page, 'log-in');
  await keep(page, 'log-in');
  await page.fill('input[name=login]', 'observer');
  await page.fill('input[name=password]', 'not this one');
  await page.click('button[type=submit]');
  await page.waitForSelector('[role=alert]');
  assert.match(await page.textContent('[role=alert]'), /wrong/);
});

test('no script reaches the session, and a reload goes on with it', async () => {
  const page = await pageOf('observer');
  const found = await page.evaluate(() => ({
    cookie: document.cookie,
    stored: JSON.stringify([{ ...localStorage }, { ...sessionStorage }]),
  }));
  assert.equal(found.cookie, '');
  assert.doesNotMatch(found.stored, /ey[A-Za-z0-9_-]{10,}/);
  const [cookie] = await page.context().cookies();
  assert.equal(cookie.httpOnly && cookie.sameSite === 'Strict' && cookie.path === '/v1/session', true);
  // Two pages at the same time do not end each other's session.
  const second = await page.context().newPage();
  await Promise.all([page.reload(), second.goto(SERVER)]);
  await Promise.all([page.waitForSelector('.bar'), second.waitForSelector('.bar')]);
  await page.click('text=Log out');
  await page.waitForSelector('input[name=login]');
  await page.reload();
  await page.waitForSelector('input[name=login]');
});

test('an account is made, its one-time password replaced, its tablet enrolled by a QR code', async () => {
  const login = `surveyor-${Date.now()}`;
  const page = await pageOf('admin');
  await page.click('.bar nav a:has-text("Admin")');
  await page.click('button:has-text("Add an account")');
  const dialog = page.locator('dialog');
  await dialog.getByLabel('Log-in').fill(login);
  await dialog.getByLabel('Name').fill('New Surveyor');
  await dialog.locator('button[type=submit]').click();
  const oneTime = (await dialog.locator('.code').textContent()).trim();
  await keep(page, 'one-time-password');
  await dialog.getByLabel('Close').click();

  const fresh = await open();
  await fresh.goto(SERVER);
  await fresh.fill('input[name=login]', login);
  await fresh.fill('input[name=password]', oneTime);
  await fresh.click('button[type=submit]');
  await fresh.waitForSelector('h1:has-text("Choose a password")');
  assert.equal(await fresh.locator('.bar').count(), 0, 'nothing else opens');
  await accessible(fresh, 'choose a password');
  const next = 'a password of her very own';
  await fresh.getByLabel('One-time password').fill(oneTime);
  await fresh.getByLabel('New password', { exact: true }).fill(next);
  await fresh.getByLabel('New password again').fill(next);
  await fresh.click('button[type=submit]');
  await fresh.waitForSelector('.bar');
  const again = await open();
  await logIn(again, login, next);

  await page.locator('tr', { hasText: login }).getByText('Enrol a tablet').click();
  await page.waitForSelector('.qr');
  await page.locator('.enrolment [role=alert]').getByText('to a tablet that is the tablet itself').waitFor();
  await keep(page, 'enrolment');
  const shot = await page.locator('.qr').screenshot();
  const pixels = await page.evaluate(async (encoded) => {
    const bytes = Uint8Array.from(atob(encoded), (letter) => letter.charCodeAt(0));
    const picture = await createImageBitmap(new Blob([bytes], { type: 'image/png' }));
    const canvas = new OffscreenCanvas(picture.width, picture.height);
    const context = canvas.getContext('2d');
    context.drawImage(picture, 0, 0);
    const { data, width, height } = context.getImageData(0, 0, picture.width, picture.height);
    return { data: [...data], width, height };
  }, shot.toString('base64'));
  const read = jsQR(Uint8ClampedArray.from(pixels.data), pixels.width, pixels.height);
  const { server, code } = JSON.parse(read.data);
  assert.equal(server, SERVER);
  const enrolled = await fetch(`${server}/v1/devices/enrol`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ code, name: 'Scanned tablet' }),
  });
  assert.equal(enrolled.status, 201);
  const devices = await api('admin', '/v1/devices');
  assert.ok(devices.some((device) => device.name === 'Scanned tablet'));
  assert.notEqual(PASSWORD, next);
});

/** As if the session had run out: the cookie is gone, and the access token is refused. */
async function end(page) {
  await page.context().clearCookies();
  await page.route('**/*', async (route) => {
    const request = route.request();
    const refused = request.headers().authorization?.includes(page.old) ?? false;
    if (!refused) return route.continue();
    return route.fulfill({ status: 401, contentType: 'application/problem+json', body: '{"detail":"it is over"}' });
  });
}

test('what was typed outlives the session', async () => {
  const page = await open();
  page.on('response', async (answer) => {
    if (answer.url().endsWith('/v1/session') && answer.ok()) page.old ??= (await answer.json()).access_token;
  });
  await logIn(page, 'authority-im');
  await page.evaluate(() => {
    location.hash = '/map?new=survey';
  });
  const panel = page.locator('.side.record');
  const places = panel.getByLabel('Places, one a line');
  await panel.getByLabel('Known by').selectOption('Point');
  await places.fill('5.9, -21.9');
  await end(page);
  const door = page.locator('dialog.door');
  // Whatever asks first, this or the page itself, is told that it is over.
  const save = page.getByRole('button', { name: 'Save as a draft' });
  await save.click({ timeout: 5_000 }).catch(() => door.waitFor());
  await door.waitFor();
  await accessible(page, 'log-in again');
  await keep(page, 'log-in-again');
  assert.equal(await door.locator('input[name=login]').inputValue(), 'authority-im');
  // It cannot be put away: behind it nothing works.
  await page.keyboard.press('Escape');
  await page.keyboard.press('Escape');
  const password = door.locator('input[name=password]:focus');
  await password.fill(PASSWORD);
  await door.locator('button[type=submit]').click();
  await door.waitFor({ state: 'detached' });
  assert.equal(await places.inputValue(), '5.9, -21.9');
});

test('who logs in or out in one tab does so in all', async () => {
  const page = await pageOf('authority-im');
  const second = await page.context().newPage();
  await second.goto(SERVER);
  await second.locator('.person', { hasText: 'Information' }).or(second.locator('.who')).first().waitFor();
  await second.click('text=Log out');
  await page.waitForSelector('input[name=login]');
  await logIn(second, 'authority-im');
  await page.reload();
  await page.locator('.bar nav a', { hasText: 'Conflicts' }).waitFor();
  // Another reader in one tab is another reader in the other, by itself: nothing of the one before stays there.
  await second.evaluate(() => {
    globalThis.before = true;
  });
  const answer = await second.evaluate(async (password) => {
    const headers = { 'content-type': 'application/json' };
    const body = JSON.stringify({ login: 'observer', password });
    const told = await fetch('/v1/session', { method: 'POST', headers, body });
    const { account } = await told.json();
    new BroadcastChannel('cartagena-session').postMessage(account);
    return told.status;
  }, PASSWORD);
  assert.equal(answer, 200);
  await page.locator('.bar nav a', { hasText: 'Conflicts' }).waitFor({ state: 'detached' });
  await page.locator('.bar nav a', { hasText: 'Standing' }).waitFor();
  await second.waitForFunction(() => globalThis.before === undefined);
  await second.waitForSelector('.bar');
  await second.click('text=Log out');
  await page.waitForSelector('input[name=login]');
  await page.fill('input[name=login]', 'authority-qa');
  await page.fill('input[name=password]', PASSWORD);
  await page.click('button[type=submit]');
  await page.locator('.bar nav a', { hasText: 'Review' }).waitFor();
});

test('who logs in stays so, however late another tab is told of the session before', async () => {
  const page = await pageOf('authority-im');
  const second = await page.context().newPage();
  await second.goto(SERVER);
  await second.waitForSelector('.bar');
  await second.click('text=Log out');
  await second.waitForSelector('input[name=login]');
  await page.waitForSelector('input[name=login]');
  await logIn(page, 'authority-im');
  let isAsked = () => {};
  const asked = new Promise((go) => {
    isAsked = go;
  });
  await page.route('**/v1/session/refresh', async (route) => {
    const answer = await route.fetch();
    isAsked();
    await page.waitForTimeout(2_000);
    await route.fulfill({ response: answer });
  });
  page.reload().catch(() => {});
  await asked;
  await second.fill('input[name=login]', 'observer');
  await second.fill('input[name=password]', PASSWORD);
  await second.click('button[type=submit]');
  await second.waitForSelector('.bar');
  await second.waitForTimeout(2_500);
  await page.unrouteAll({ behavior: 'ignoreErrors' });
  await second.reload();
  await second.waitForSelector('.bar');
  assert.match(await second.locator('.bar').textContent(), /[Oo]bserver|[Dd]onor/);
});

test('a log-out that fails says so', async () => {
  const page = await pageOf('observer');
  await page.route('**/v1/session', (route) =>
    route.fulfill({ status: 503, contentType: 'application/problem+json', body: '{"detail":"the server is busy"}' }),
  );
  await page.click('text=Log out');
  await page.locator('.who [role=alert]', { hasText: 'busy' }).waitFor();
  await page.unroute('**/v1/session');
  await page.click('text=Log out');
  await page.waitForSelector('input[name=login]');
});

test('an admin gives another role, and a password for a forgotten one', async () => {
  const login = `promoted-${Date.now()}`;
  const page = await pageOf('admin');
  await page.click('.bar nav a:has-text("Admin")');
  await page.click('button:has-text("Add an account")');
  const dialog = page.locator('dialog');
  await dialog.getByLabel('Log-in').fill(login);
  await dialog.getByLabel('Name').fill('New Supervisor');
  await dialog.locator('button[type=submit]').click();
  await dialog.locator('.code').waitFor();
  await dialog.getByLabel('Close').click();
  const row = page.locator('tr', { hasText: login });
  await row.getByText('Another role').click();
  await dialog.getByLabel('Role').selectOption('supervisor');
  await dialog.locator('button[type=submit]').click();
  await page.locator('tr', { hasText: login }).filter({ hasText: 'Supervisor' }).waitFor();
  await row.getByText('New password').click();
  await dialog.locator('button[type=submit]').click();
  const oneTime = (await dialog.locator('.code').textContent()).trim();
  const answer = await fetch(`${SERVER}/v1/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ login, password: oneTime }),
  });
  assert.equal((await answer.json()).role, 'supervisor');
});

test('logging out in one tab leaves what stands half done in another, for its own reader only', async () => {
  const page = await pageOf('authority-im');
  const second = await page.context().newPage();
  await second.goto(`${SERVER}/#/map?new=survey`);
  const places = second.locator('.side.record').getByLabel('Places, one a line');
  await second.locator('.side.record').getByLabel('Known by').selectOption('Point');
  await places.fill('5.9, -21.9');
  const door = second.locator('dialog.door');
  const enter = async (login) => {
    await door.locator('input[name=login]').fill(login);
    await door.locator('input[name=password]').fill(PASSWORD);
    await door.locator('button[type=submit]').click();
  };
  await page.click('text=Log out');
  await page.waitForSelector('input[name=login]');
  await door.waitFor();
  await enter('authority-im');
  await door.waitFor({ state: 'detached' });
  assert.equal(await places.inputValue(), '5.9, -21.9');
  await page.reload();
  await page.click('text=Log out');
  await door.waitFor();
  await enter('hima-manager');
  await second.locator('.who', { hasText: 'Programme manager' }).waitFor();
  assert.equal((await places.count()) && (await places.inputValue()), 0, 'it was not theirs');
  await second.close();
});

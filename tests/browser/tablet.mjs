// A tablet as the server meets it: enrolled by a code, pushing edits, sending files.

import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import { api, SERVER, tokenOf } from './support.mjs';

async function post(path, token, body) {
  const answer = await fetch(`${SERVER}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token ? { authorization: `Bearer ${token}` } : {}) },
    body: JSON.stringify(body),
  });
  assert.ok(answer.ok, `${path}: ${answer.status} ${await answer.clone().text()}`);
  return answer.json();
}

/** Enrols a tablet for somebody. */
export async function enrol(login, name) {
  const account = (await api('admin', '/v1/accounts')).find((known) => known.login === login);
  const { code } = await post('/v1/devices/enrolments', await tokenOf('admin'), { account: account.id });
  const tokens = await post('/v1/devices/enrol', null, { code, name });
  return { device: tokens.device, token: tokens.access_token, account: account.id };
}

/** Pushes one new record, the tablet's first edit; its id, and what became of it. */
export async function push(tablet, kind, fields, attachments = []) {
  const record = randomUUID();
  const changes = Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, { to: value }]));
  const mutation = {
    mutation_id: randomUUID(),
    device_seq: 1,
    kind,
    schema: 1,
    op: 'create',
    record_id: record,
    changes,
    author: tablet.account,
    attachments,
  };
  const body = { protocol: 1, device_id: tablet.device, txns: [[mutation]] };
  const answer = await post('/v1/sync/push', tablet.token, body);
  return { record, outcome: answer.results[0].outcome };
}

/** Pushes a tablet's next edit of a record that is there; what became of it. */
export async function update(tablet, seq, record, base, changes) {
  const mutation = {
    mutation_id: randomUUID(),
    device_seq: seq,
    kind: 'hazardous_area',
    schema: 1,
    op: 'update',
    record_id: record,
    base_version: base,
    changes,
    author: tablet.account,
  };
  const body = { protocol: 1, device_id: tablet.device, txns: [[mutation]] };
  const answer = await post('/v1/sync/push', tablet.token, body);
  return answer.results[0].outcome;
}

/** Pushes one new record with a photo that it claims; its id and the photo's name. */
export async function pushWithPhoto(tablet, kind, fields, photo) {
  const sha256 = createHash('sha256').update(photo).digest('hex');
  const claim = { name: 'lane-3.png', sha256, size: photo.length, media_type: 'image/png' };
  const { record, outcome } = await push(tablet, kind, fields, [claim]);
  assert.equal(outcome, 'applied');
  return { record, sha256 };
}

/** Sends a whole file by tus. */
export async function send(tablet, sha256, bytes) {
  const answer = await fetch(`${SERVER}/v1/blobs/${sha256}`, {
    method: 'PATCH',
    headers: {
      authorization: `Bearer ${tablet.token}`,
      'tus-resumable': '1.0.0',
      'upload-offset': '0',
      'content-type': 'application/offset+octet-stream',
    },
    body: bytes,
  });
  assert.equal(answer.status, 204, await answer.text());
}

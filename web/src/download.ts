// Files of the server, saved as the browser saves files: the log-in is in this page's memory, so that no link has it.

import { api } from './api';

const NAME = /filename="([^"]+)"/;

/** Asks for a file and hands it to the browser under the name that the server gives it, where it gives one. */
export async function download(path: string, otherwise = 'cartagena'): Promise<void> {
  const answer = await api.raw(path);
  const name = NAME.exec(answer.headers.get('content-disposition') ?? '')?.[1];
  const address = URL.createObjectURL(await answer.blob());
  const link = document.createElement('a');
  link.href = address;
  link.download = name ?? otherwise;
  link.click();
  // The browser has begun to read it by then.
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

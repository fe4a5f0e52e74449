// What the server says when something cannot be done (RFC 9457).

export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    detail: string,
    readonly errors: { pointer?: string; message?: string }[] = [],
  ) {
    super(detail);
  }
}

export async function problemOf(answer: Response): Promise<Problem> {
  try {
    const told = await answer.json();
    const code = String(told.type ?? '').replace('urn:cartagena:problem:', '');
    return new Problem(answer.status, code, told.detail ?? answer.statusText, told.errors ?? []);
  } catch {
    return new Problem(answer.status, 'unreadable', answer.statusText || `HTTP ${answer.status}`);
  }
}

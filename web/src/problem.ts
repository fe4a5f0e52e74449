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

interface FieldFault {
  pointer?: string;
  message?: string;
}

/** What is wrong with single fields, by their names; several faults of one as lines. */
export function faultsByField(faults: FieldFault[] = []): Map<string, string> {
  const named = new Map<string, string>();
  for (const { pointer = '', message = '' } of faults) {
    const [, part, field] = pointer.split('/');
    const name = part === 'properties' ? field : part;
    if (!name) continue;
    const before = named.get(name);
    named.set(name, before ? `${before}\n${message}` : message);
  }
  return named;
}

/** The same of what a request was refused for. */
export function wrongFields(fault: unknown): Map<string, string> {
  return faultsByField(fault instanceof Problem ? fault.errors : []);
}

import { Copy } from './copy';

/** What is shown this once, to be copied. */
export function Secret({ text }: { text: string }) {
  return (
    <div class="secret">
      <p class="code" dir="ltr">
        {text}
      </p>
      <Copy text={text} />
    </div>
  );
}

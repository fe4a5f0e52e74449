import type { ComponentChildren } from 'preact';
import { t } from '../i18n';

interface Props {
  heads: string[];
  /** Whether each row ends with its buttons. */
  actions?: boolean;
  /** Whether it scrolls within the page. */
  tall?: boolean;
  children: ComponentChildren;
}

/** A table of things: a head for each column, a row for each thing. */
export function Table({ heads, actions, tall, children }: Props) {
  return (
    <div class={tall ? 'scroll tall' : 'scroll'}>
      <table>
        <thead>
          <tr>
            {heads.map((head) => (
              <th key={head} scope="col">
                {head}
              </th>
            ))}
            {actions && (
              <th scope="col">
                <span class="unseen">{t('field.actions')}</span>
              </th>
            )}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}

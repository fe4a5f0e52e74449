import { encode } from 'uqr';
import { api } from '../api';
import { Dialog } from '../components/dialog';
import { Show } from '../components/states';
import { moment } from '../format';
import { t } from '../i18n';
import { useLoad } from '../load';

interface Offer {
  code: string;
  expires_at: string;
}

/** A one-time code with which a tablet enrols for an account: to be scanned or typed. */
export function Enrolment({ account, onClose }: { account: string; onClose: () => void }) {
  const offer = useLoad(
    `enrolment ${account}`,
    (signal) => api.post<Offer>('/v1/devices/enrolments', { account }, { signal }),
    false,
  );
  return (
    <Dialog title={t('enrol.title')} onClose={onClose}>
      <Show of={offer}>
        {({ code, expires_at }) => (
          <div class="enrolment">
            {isLoopback(location.hostname) && (
              <p class="note bad" role="alert">
                {t('enrol.loopback', { server: location.origin })}
              </p>
            )}
            <Qr text={JSON.stringify({ server: location.origin, code })} />
            <p>{t('enrol.lead')}</p>
            <p class="code" dir="ltr">
              {code}
            </p>
            <p class="muted">{t('enrol.until', { when: moment(expires_at) })}</p>
          </div>
        )}
      </Show>
    </Dialog>
  );
}

/** Whether a name means, on every machine, that machine itself. */
function isLoopback(host: string): boolean {
  return /^(localhost|.*\.localhost|127(\.\d+){3}|\[::1\]|0\.0\.0\.0)$/.test(host);
}

/** White around a code that readers need. */
const QUIET = 4;

/** Made here: the code leaves this machine on the tablet's camera only. */
function Qr({ text }: { text: string }) {
  const { data, size } = encode(text, { ecc: 'M', border: QUIET });
  const path = data
    .flatMap((row, y) => row.flatMap((dark, x) => (dark ? [`M${x} ${y}h1v1h-1z`] : [])))
    .join('');
  return (
    <svg
      class="qr"
      viewBox={`0 0 ${size} ${size}`}
      role="img"
      aria-label={t('enrol.qr')}
      shape-rendering="crispEdges"
    >
      <rect width={size} height={size} fill="#fff" />
      <path d={path} fill="#000" />
    </svg>
  );
}

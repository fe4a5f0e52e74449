import { useEffect, useState } from 'preact/hooks';
import { api } from '../api';
import { Dialog } from '../components/dialog';
import { Busy, Show } from '../components/states';
import { t } from '../i18n';
import { useLoad } from '../load';

interface Attached {
  name?: string;
  sha256: string;
  size: number;
  media_type: string;
  state: 'complete' | 'partial' | 'absent';
  bytes_here: number;
  found_type?: string;
  problem?: string;
}

const isPicture = (file: Attached) => /^image\/(jpeg|png|webp)$/.test(file.found_type ?? file.media_type);

/** The files that a record claims: pictures to look at, the rest by name, what has not come yet as such. */
export function Photos({ id }: { id: string }) {
  const files = useLoad(`files ${id}`, (signal) =>
    api.get<{ attachments: Attached[] }>(`/v1/records/${id}/attachments`, { signal }),
  );
  const [opened, setOpened] = useState<Attached | null>(null);
  return (
    <Show of={files}>
      {({ attachments }) =>
        attachments.length === 0 ? null : (
          <section>
            <h3>{t('record.photos')}</h3>
            <ul class="photos">
              {attachments.map((file) => (
                <li key={file.sha256}>
                  {file.state === 'complete' && isPicture(file) ? (
                    <button type="button" class="quiet" onClick={() => setOpened(file)}>
                      <Picture file={file} size={160} />
                    </button>
                  ) : (
                    <span class="file" dir="auto">
                      {file.name ?? file.media_type}
                      <small class="muted">{t(`photo.${file.state}`)}</small>
                      {file.problem && <small class="bad">{file.problem}</small>}
                    </span>
                  )}
                </li>
              ))}
            </ul>
            {opened && (
              <Dialog title={opened.name ?? t('record.photos')} wide onClose={() => setOpened(null)}>
                <Picture file={opened} size={1024} />
              </Dialog>
            )}
          </section>
        )
      }
    </Show>
  );
}

/** A picture that only this reader may see: fetched with their token, shown from memory. */
function Picture({ file, size }: { file: Attached; size: number }) {
  const [url, setUrl] = useState<string | null>(null);
  const [missing, setMissing] = useState(false);
  useEffect(() => {
    const stop = new AbortController();
    let made = '';
    api
      .raw(`/v1/blobs/${file.sha256}/thumbnail?size=${size}`, { signal: stop.signal })
      .then((answer) => answer.blob())
      .then((blob) => {
        made = URL.createObjectURL(blob);
        setUrl(made);
      })
      .catch(() => setMissing(!stop.signal.aborted));
    return () => {
      stop.abort();
      if (made) URL.revokeObjectURL(made);
    };
  }, [file.sha256, size]);
  if (missing) return <span class="file">{t('photo.unreadable')}</span>;
  return url ? <img src={url} alt={file.name ?? t('record.photo')} /> : <Busy />;
}

/**
 * A long list is drawn in parts: what can be seen at once, and more when that is asked for. What is not drawn costs nothing when the list
 * is drawn again, and a list of thousands would be neither read nor seen.
 */
import { useState } from 'preact/hooks';

/** How many of `all` are drawn, and what asks for more; that is null where there are no more. */
export function useParts(all: number, part: number, what: string) {
  const [shown, setShown] = useState(part);
  const missing = all - shown;
  const button =
    missing <= 0 ? null : (
      <p>
        <button type="button" onClick={() => setShown(shown + part)}>
          Show {Math.min(part, missing)} more
        </button>{' '}
        <span class="muted">
          {shown} of {all} {what}
        </span>
      </p>
    );
  return { shown, button };
}

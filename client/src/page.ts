// The page around a room: its id, and when it is hidden, kept, restored or online. Outside of a browser there is none.

interface PageEvents {
  /** Restored from the back/forward cache. */
  onShow(): void;
  /** It goes, or is kept in that cache: browsers keep only pages without open connections. */
  onHide(isKept: boolean): void;
  onVisible(isVisible: boolean): void;
  onOnline(): void;
}

/** Reports what happens to the page, until the returned function is called. */
export function followPage({ onShow, onHide, onVisible, onOnline }: PageEvents): () => void {
  if (!globalThis.document) return () => undefined;
  const controller = new AbortController();
  const { signal } = controller;
  let isHidden = false;
  addEventListener(
    "pagehide",
    ({ persisted }) => {
      isHidden = true;
      onHide(persisted);
    },
    { signal },
  );
  addEventListener(
    "pageshow",
    ({ persisted }) => {
      isHidden = false;
      if (persisted) onShow();
    },
    { signal },
  );
  // A page that goes is hidden as well, which is not the same.
  const tellVisibility = () => isHidden || onVisible(!document.hidden);
  document.addEventListener("visibilitychange", tellVisibility, { signal });
  addEventListener("online", onOnline, { signal });
  tellVisibility();
  return () => controller.abort();
}

/** An id that no other page of this person has. It proves nothing, so it need not be hard to guess. */
export function newTab(): string {
  return Math.random().toString(36).slice(2);
}

/**
 * Keeps the id for the next page in this tab, or without one takes that of the previous page.
 *
 * It is stored only while the page is unloaded: browsers copy `sessionStorage` when a tab is duplicated.
 */
export function exchangeTab(address: string, tab?: string): string | undefined {
  const key = `rollcall ${address}`;
  try {
    const old: string | undefined = sessionStorage[key];
    if (tab) sessionStorage[key] = tab;
    else delete sessionStorage[key];
    return old;
  } catch {
    // There is no storage here, or the browser blocks it: the next page is another tab.
    return undefined;
  }
}

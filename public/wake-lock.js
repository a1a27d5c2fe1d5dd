// Keeps the screen of a wall on. Browsers end the lock when the page is hidden.

async function request() {
  // Without it, or where the battery is low, the screen goes off as it does without this script.
  if (!document.hidden) await navigator.wakeLock?.request("screen").catch(() => undefined);
}

document.addEventListener("visibilitychange", request);
request();

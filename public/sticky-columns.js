// Measures the heights on which positions depend, which no style sheet can express: those of the room panel and the
// sidebar, and that of the banner.
//
// The room panel and the sidebar stay in view beside a long list, in wide windows. Both are sticky, one below the
// other, so the position of each depends on the height of the other.
// In the DOM the list is between the two, as on a phone: that is the order for the keyboard and for screen readers.

const main = document.querySelector("main");
// Extensions replace them, and the page renders them anew.
const columns = () => [document.querySelector(".room-panel"), document.querySelector(".sidebar")];

function updateHeights() {
  const [roomPanel, sidebar] = columns();
  if (!roomPanel || !sidebar) return;
  const [roomPanelHeight, sidebarHeight] = [roomPanel.offsetHeight, sidebar.offsetHeight];
  // Set on the two elements and not on the root, where a change would recalculate the styles of every row.
  for (const [part, name, height] of [
    [roomPanel, "--height", roomPanelHeight],
    [roomPanel, "--sidebar-height", sidebarHeight],
    [sidebar, "--height", sidebarHeight],
    [sidebar, "--room-panel-height", roomPanelHeight],
  ]) {
    part.style.setProperty(name, `${height}px`);
  }
  document.documentElement.dataset.desk = "true";
}

/** The page has space for it below its end. */
function updateBannerHeight() {
  const heights = [...document.querySelectorAll(".banner")].map((banner) => banner.offsetHeight);
  const height = Math.max(...heights);
  // A change on the root recalculates the styles of every row, which a first visit without a banner does not need.
  if (height > 0) document.documentElement.style.setProperty("--banner-height", `${height}px`);
}

// Browsers without it have columns that are not sticky.
if (globalThis.ResizeObserver) {
  const observer = new ResizeObserver(updateHeights);
  const bannerObserver = new ResizeObserver(updateBannerHeight);
  const observe = () => {
    observer.disconnect();
    for (const column of columns()) if (column) observer.observe(column);
    for (const banner of document.querySelectorAll(".banner")) bannerObserver.observe(banner);
  };
  observe();
  // The banner about a lost connection is an element only while it is shown.
  new MutationObserver(observe).observe(main, { childList: true });
}

// The link to the sidebar is in the page's menu, which would stay in front of what it leads to.
document.addEventListener("click", ({ target }) => {
  if (target instanceof Element && target.closest("#menu a[href^='#']")) target.closest("#menu").hidePopover();
});

// Keeps the room panel and the sidebar in view sidebar a long list, in wide windows. Both are sticky, one below the
// other, so the position of each depends on the height of the other, which no style sheet can express.
//
// In the DOM the list is between the two, as on a phone: that is the order for the keyboard and for screen readers.

const roomPanel = document.querySelector(".room-panel");
const sidebar = document.querySelector(".sidebar");

function updateHeights() {
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

// Browsers without it have columns that are not sticky.
if (globalThis.ResizeObserver) {
  const observer = new ResizeObserver(updateHeights);
  observer.observe(roomPanel);
  observer.observe(sidebar);
}
